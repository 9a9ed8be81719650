"""Words and facts of the world that the skills draw on. All of it is written for this purpose."""

CAPITALS = dict(line.split("=") for line in """
Afghanistan=Kabul|Albania=Tirana|Algeria=Algiers|Andorra=Andorra la Vella|Angola=Luanda|Argentina=Buenos Aires|Armenia=Yerevan
Australia=Canberra|Austria=Vienna|Azerbaijan=Baku|Bahrain=Manama|Bangladesh=Dhaka|Barbados=Bridgetown|Belarus=Minsk|Belgium=Brussels
Belize=Belmopan|Benin=Porto-Novo|Bhutan=Thimphu|Bolivia=Sucre|Bosnia and Herzegovina=Sarajevo|Botswana=Gaborone|Brazil=Brasília
Brunei=Bandar Seri Begawan|Bulgaria=Sofia|Burkina Faso=Ouagadougou|Cambodia=Phnom Penh|Cameroon=Yaoundé|Canada=Ottawa|Chad=N'Djamena
Chile=Santiago|China=Beijing|Colombia=Bogotá|Costa Rica=San José|Croatia=Zagreb|Cuba=Havana|Cyprus=Nicosia|Czechia=Prague|Denmark=Copenhagen
Djibouti=Djibouti|Ecuador=Quito|Egypt=Cairo|El Salvador=San Salvador|Eritrea=Asmara|Estonia=Tallinn|Ethiopia=Addis Ababa|Fiji=Suva
Finland=Helsinki|France=Paris|Gabon=Libreville|Georgia=Tbilisi|Germany=Berlin|Ghana=Accra|Greece=Athens|Guatemala=Guatemala City|Guinea=Conakry
Guyana=Georgetown|Haiti=Port-au-Prince|Honduras=Tegucigalpa|Hungary=Budapest|Iceland=Reykjavik|India=New Delhi|Indonesia=Jakarta|Iran=Tehran
Iraq=Baghdad|Ireland=Dublin|Italy=Rome|Jamaica=Kingston|Japan=Tokyo|Jordan=Amman|Kazakhstan=Astana|Kenya=Nairobi|Kuwait=Kuwait City
Kyrgyzstan=Bishkek|Laos=Vientiane|Latvia=Riga|Lebanon=Beirut|Liberia=Monrovia|Libya=Tripoli|Liechtenstein=Vaduz|Lithuania=Vilnius
Luxembourg=Luxembourg|Madagascar=Antananarivo|Malawi=Lilongwe|Malaysia=Kuala Lumpur|Maldives=Malé|Mali=Bamako|Malta=Valletta|Mauritania=Nouakchott
Mexico=Mexico City|Moldova=Chișinău|Monaco=Monaco|Mongolia=Ulaanbaatar|Montenegro=Podgorica|Morocco=Rabat|Mozambique=Maputo|Myanmar=Naypyidaw
Namibia=Windhoek|Nepal=Kathmandu|the Netherlands=Amsterdam|New Zealand=Wellington|Nicaragua=Managua|Niger=Niamey|Nigeria=Abuja|North Korea=Pyongyang
North Macedonia=Skopje|Norway=Oslo|Oman=Muscat|Pakistan=Islamabad|Panama=Panama City|Papua New Guinea=Port Moresby|Paraguay=Asunción|Peru=Lima
the Philippines=Manila|Poland=Warsaw|Portugal=Lisbon|Qatar=Doha|Romania=Bucharest|Russia=Moscow|Rwanda=Kigali|Saudi Arabia=Riyadh|Senegal=Dakar
Serbia=Belgrade|Sierra Leone=Freetown|Singapore=Singapore|Slovakia=Bratislava|Slovenia=Ljubljana|Somalia=Mogadishu|South Africa=Pretoria
South Korea=Seoul|Spain=Madrid|Sri Lanka=Colombo|Sudan=Khartoum|Suriname=Paramaribo|Sweden=Stockholm|Switzerland=Bern|Syria=Damascus|Taiwan=Taipei
Tajikistan=Dushanbe|Tanzania=Dodoma|Thailand=Bangkok|Togo=Lomé|Tunisia=Tunis|Turkey=Ankara|Turkmenistan=Ashgabat|Uganda=Kampala|Ukraine=Kyiv
the United Arab Emirates=Abu Dhabi|the United Kingdom=London|the United States=Washington, D.C.|Uruguay=Montevideo|Uzbekistan=Tashkent
Venezuela=Caracas|Vietnam=Hanoi|Yemen=Sana'a|Zambia=Lusaka|Zimbabwe=Harare
""".strip().replace("\n", "|").split("|"))
ALIASES = {"the United States": ["the usa", "the us", "america", "usa"], "the United Kingdom": ["the uk", "england", "britain", "uk"],
           "the Netherlands": ["holland", "netherlands"], "Czechia": ["the czech republic"], "the Philippines": ["philippines"],
           "the United Arab Emirates": ["the uae"], "Turkey": ["türkiye"], "Myanmar": ["burma"]}
NO_COUNTRIES = """Narnia|Atlantis|Mordor|Wakanda|Gondor|Westeros|Hogwarts|Utopia|Oz|Neverland|Mars|the moon|Jupiter|Europe|Asia|Africa|
Antarctica|the ocean|Middle-earth|Lilliput|my country|nowhere|Texas|Bavaria|California|Tuscany|Normandy|Ontario""".replace("\n", "").split("|")

NAMES = """Anna Ben Clara David Emma Felix Grace Henry Ida Jonas Kate Leo Maria Noah Olivia Paul Quinn Rosa Sam Tina Uma Victor Wendy Xavier Yara
Zoe Adam Bella Carlos Diana Erik Fiona George Hannah Ivan Julia Karl Laura Max Nina Oscar Petra Ralf Sofia Tom Ulla Vera Walter Xenia Yusuf Zara
Alice Bob Charlie Dora Edgar Frida Gustav Helen Igor Jane Kevin Lisa Mark Nora Otto Paula Robert Sarah Thomas Ursula Vincent William Yvonne
Aisha Bruno Chen Dimitri Elena Farid Giulia Hiro Ines Jamal Kenji Lucia Mohammed Nadia Omar Priya Raj Santiago Tariq Umberto Valentina Wei
Ximena Yuki Zhang Akira Beatriz Cem Deepa Emil Fatima Gabriel Hassan Isabel Jorge Kofi Leila Miguel Nikhil Olga Pablo Ravi Sana Teodor Luca
Amelia Barbara Chris Daniel Edith Frank Gina Harry Irene Jack Kim Linda Mike Nancy Oliver Peter Rachel Steve Tracy Vivian Zack Mila Finn Lena
Marta Jan Piotr Ewa Lars Ingrid Sven Astrid Bjorn Freya Magnus Sigrid Anton Boris Katya Dasha Mei Lin Ming Xiao Hana Sora Minho Jisoo""".split()
CITIES = """London Paris Berlin Madrid Rome Vienna Prague Warsaw Lisbon Dublin Oslo Stockholm Helsinki Copenhagen Amsterdam Brussels Zurich Geneva Munich
Hamburg Cologne Frankfurt Lyon Marseille Nice Barcelona Seville Valencia Milan Naples Turin Florence Venice Athens Istanbul Ankara Cairo Nairobi
Lagos Casablanca Tunis Mumbai Delhi Bangalore Chennai Kolkata Karachi Lahore Dhaka Bangkok Hanoi Singapore Jakarta Manila Seoul Busan Tokyo
Osaka Kyoto Beijing Shanghai Shenzhen Taipei Sydney Melbourne Brisbane Perth Auckland Wellington Toronto Montreal Vancouver Ottawa Chicago
Boston Seattle Denver Houston Dallas Austin Miami Atlanta Phoenix Portland Detroit Philadelphia Washington Lima Bogotá Quito Santiago Havana
Moscow Kyiv Minsk Riga Vilnius Tallinn Budapest Bucharest Sofia Belgrade Zagreb Bern Basel Bremen Dresden Leipzig Stuttgart Salzburg Graz
Edinburgh Glasgow Manchester Liverpool Bristol Leeds Cardiff Belfast Cork Porto Bilbao Malaga Bergen Malmo Gothenburg Aarhus Tampere
Dubai Doha Riyadh Tehran Baghdad Amman Beirut Jerusalem Accra Dakar Harare Lusaka Kampala""".split() + [
    "New York", "Los Angeles", "San Francisco", "Mexico City", "Buenos Aires", "Rio de Janeiro", "São Paulo", "Hong Kong", "Cape Town", "New Delhi",
    "Tel Aviv", "Kuala Lumpur", "Las Vegas", "San Diego", "New Orleans", "Salt Lake City", "Addis Ababa", "Abu Dhabi", "Saint Petersburg", "Den Haag"]
COLOURS = "red blue green yellow orange purple black white pink brown grey turquoise violet gold silver".split()
FOODS = "pizza pasta rice sushi soup bread cheese chocolate salad curry noodles pancakes apples tacos dumplings lasagna strawberries ramen".split()
JOBS = """teacher doctor nurse baker farmer pilot engineer programmer painter lawyer cook gardener plumber student writer musician carpenter
architect dentist librarian mechanic photographer scientist driver tailor translator""".split()
PETS = "dog cat rabbit hamster parrot turtle horse goldfish hedgehog pony guinea pig".split()
HERO = """fox bear cat dog rabbit mouse owl dragon knight princess robot wizard pirate sailor farmer baker king queen boy girl frog wolf turtle
squirrel hedgehog lion elephant penguin snail bee giant ghost astronaut fisherman painter tailor shepherd witch prince sparrow whale donkey horse
goose crow unicorn mermaid elf dwarf monkey tiger pig cow snake spider ant butterfly computer star cloud tree river train ship""".split()

# Things that weft-guide does not know, by kind.
UNKNOWN = {
    "who": """the president of France|the pope|Napoleon|Shakespeare|Einstein|Mozart|Beethoven|the king of England|Cleopatra|Julius Caesar|Picasso|
Leonardo da Vinci|Isaac Newton|Marie Curie|Gandhi|Elvis|Madonna|Taylor Swift|Lionel Messi|Ronaldo|Michael Jordan|Elon Musk|Bill Gates|Steve Jobs|
Linus Torvalds|Harry Potter|Sherlock Holmes|Batman|Superman|Darth Vader|Homer|Plato|Socrates|Aristotle|Kant|Nietzsche|Darwin|Galileo|Columbus|
Marco Polo|Genghis Khan|Lincoln|Washington|Obama|Churchill|Stalin|Lenin|Mao|Bach|Chopin|Vivaldi|Van Gogh|Rembrandt|Monet|Dali|Tolstoy|Kafka|
Goethe|Dante|Cervantes|Hemingway|Tolkien|Agatha Christie|Stephen King|Spielberg|Hitchcock|Chaplin|the prime minister|the chancellor|my neighbour|
the mayor|the world champion|the fastest runner|the richest man|Queen Victoria|Tesla|Edison|Alan Turing|Ada Lovelace|Gutenberg""",
    "topic": """football|basketball|tennis|chess|cricket|rugby|golf|baseball|swimming|cooking|baking|gardening|knitting|fishing|hiking|yoga|politics|
elections|taxes|the stock market|bitcoin|ethereum|mortgages|insurance|investing|history|the second world war|the french revolution|the cold war|
the roman empire|ancient egypt|the middle ages|philosophy|religion|buddhism|psychology|sociology|medicine|cancer|diabetes|headaches|vitamins|
nutrition|diets|biology|evolution|dna|genetics|photosynthesis|chemistry|acids|the periodic table|physics|gravity|black holes|relativity|
quantum mechanics|string theory|astronomy|the planets|the moon landing|geology|volcanoes|earthquakes|dinosaurs|whales|sharks|penguins|dogs|
cats|horses|birds|insects|mushrooms|flowers|roses|trees|music|jazz|opera|rock music|guitars|pianos|movies|star wars|netflix|tv series|books|
poetry|novels|painting|sculpture|architecture of churches|fashion|shoes|jewellery|cars|electric cars|motorcycles|bicycles|trains|airplanes|
ships|rockets|satellites|travel|hotels|visas|passports|beaches|mountains|rivers|the weather tomorrow|climate change|hurricanes|snow|wine|beer|
coffee|tea|cheese making|sushi rice|chocolate cake|pancakes|law|contracts|divorce|marriage|dating|children|schools|universities|exams|
job interviews|salaries|plumbing|electricity at home|furniture|paint|washing machines|vacuum cleaners|smartphones|iphones|android|photoshop|
excel|word processors|windows updates|printers|routers|video games|minecraft|pokemon|sudoku|crosswords|magic tricks|horoscopes|dreams|ghosts|
aliens|the bible|mythology|greek gods|vikings|samurai|pirates of the caribbean|castles|museums|dinosaur bones|html|css|java|javascript frameworks|
php|haskell|databases|sql|excel formulas|git rebase|regular expressions|sorting algorithms|linear algebra|calculus|integrals|geometry|
pythagoras|prime numbers|statistics|economics|inflation|marketing|accounting|logistics|farming|cows|tractors|wheat|oil|gold|diamonds|nuclear power|
solar panels|wind turbines|batteries|semiconductors|lasers|microscopes|x-rays|surgery|teeth|hair|skin care|sleep|running shoes|marathons|gyms""",
    "question": """how high is mount everest|how far is the moon|how many people live on earth|how long is the nile|why is the sky blue|
why do cats purr|how do planes fly|when did the titanic sink|when did the war end|how do i boil an egg|how do i bake bread|how do i tie a tie|
how do i lose weight|how do i learn guitar|how do i fix my car|how do i get rich|how deep is the ocean|how old is the universe|
what is the speed of light|what is the meaning of life|what is the largest animal|what is the smallest country|what is the best restaurant|
what is the tallest building|what is the price of gold|what is my horoscope|what should i eat|what should i wear|who won the world cup|
who won the election|who invented the telephone|who discovered america|who wrote hamlet|who painted the mona lisa|who is your favourite actor|
where is the nearest supermarket|where can i buy shoes|where is mount fuji|where do penguins live|when is easter|when is the next train|
which phone should i buy|which film should i watch|which team is the best|will it rain tomorrow|should i marry|should i buy a house|
is there life on mars|is coffee healthy|are sharks dangerous|can dogs eat grapes|do fish sleep|does god exist|did aliens build the pyramids|
what is the population of india|what is the currency of japan|what is the boiling point of water|what does e=mc2 mean|how many bones has a human|
how many days has february|how do vaccines work|how does a car engine work|how do bees make honey|what is a haiku|what is love|
what is the square root of two|what is the derivative of x squared|translate hello into french|how do you say thank you in japanese|
write an essay about freedom|write a python function that sorts a list|write a letter to my boss|fix my css|explain recursion|
recommend a book|recommend a laptop|plan my holiday|summarize war and peace|what happened in 1989|what is the news today|
how is the stock market today|book a flight for me|order a pizza|call my mother|play some music|turn on the light|set an alarm""",
}
UNKNOWN = {k: v.replace("\n", "").split("|") for k, v in UNKNOWN.items()}


def pseudo_word(rng, syllables=None):
    """A word that means nothing, so that models learn to copy what they never saw."""
    out = ""
    for _ in range(syllables or rng.choice([2, 2, 3, 3])):
        out += rng.choice("b c d f g h j k l m n p r s t v w z br cl dr fl gr kr pl st tr sh ch th".split()) + rng.choice("a e i o u ai ea io ou".split())
        out += rng.choice(["", "", "", "n", "r", "l", "s", "m", "k", "x"])
    return out


def some_name(rng):
    return pseudo_word(rng).capitalize() if rng.random() < 0.4 else rng.choice(NAMES)


def some_city(rng):
    return pseudo_word(rng).capitalize() if rng.random() < 0.25 else rng.choice(CITIES)
