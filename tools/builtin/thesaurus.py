"""Words that people use for each other. A question about weft and one that is not may both be said with another word of a
row, so that what is asked is learnt by more words than the phrasings hold. Rows keep the form of the word; words that
tell two topics apart stand in no row together."""
import re

ROWS = """
answer|reply|response
answers|replies|responses
big|large|huge
bigger|larger
biggest|largest
small|little|tiny
fast|quick|speedy
faster|quicker
quickly|fast|rapidly
slow|sluggish
start|launch|begin with
started|launched|begun
starts|launches|begins
stop|halt
stops|halts
show|display|print
find|locate|discover
need|require
needs|requires
needed|required|necessary
use|utilize|employ|make use of
used|employed|in use
using|by means of|employing
change|alter|modify|adjust
changed|altered|modified
choose|select|pick
get|obtain|receive
give|provide|supply
make|create|produce
made|created|produced
remove|delete|erase
removed|deleted|erased
limit|cap|restrict|bound
limits|caps|bounds
allowed|permitted|ok
allow|permit|let
forbid|prohibit|ban
supported|possible|available|there
support|handle|offer
supports|handles|offers
error|failure|problem|issue
errors|failures|problems|issues
fails|breaks|does not work|goes wrong
failed|broke|did not work|went wrong
crashes|dies|goes down
crashed|died|went down
wrong|incorrect|not right
correct|right|proper
computer|machine|pc|box|host
machine|computer|box|host
machines|computers|boxes|hosts
laptop|notebook
gpu|graphics card|video card|card
gpus|graphics cards|video cards|cards
vram|gpu memory|video memory|gpu ram
cpu|processor
cores|cpu cores
memory|ram
disk|drive|hard drive|ssd
folder|directory
folders|directories
file|document
path|location
program|software|tool|application
app|application|program
apps|applications|programs
script|shell script
command|cmd
command line|terminal|shell|cli
terminal|console|shell
flag|option|switch|parameter
flags|options|switches|parameters
setting|option|preference
settings|options|preferences
value|number|amount
default|standard|normal
users|people|clients
user|person|client
customers|clients|users
clients|users|callers
requests|calls|queries
request|call|query
question|query
questions|queries
text|words|writing
picture|image|photo
pictures|images|photos
documentation|docs|manual
explain|describe|clarify
understand|grasp|comprehend
know|find out
see|view|look at
check|verify|test
measure|determine|time
many|a lot of|lots of
several|multiple|a few|some
two|2|a couple of
both|the two
all|every|each
only|just|solely
also|too|as well
maximum|max|highest|upper limit of
minimum|min|lowest
long|lengthy
longer|lengthier
short|brief
together|at once|jointly
at the same time|simultaneously|in parallel|concurrently
again|once more|anew
always|every time|constantly
never|not ever
immediately|at once|right away|instantly
automatically|by itself|on its own
without|with no|lacking
missing|absent|not there
free|gratis|at no cost
cost|price
expensive|costly
safe|secure
private|confidential
internet|network|web
online|on the internet
offline|without internet
password|passphrase
protect|secure|guard
connect|link|hook up
connection|link
reach|access|get to
open|access
website|web page|site
browser|web browser
phone|smartphone|mobile
company|firm|business
work|job
works|runs|functions
working|running|functioning
model|llm|language model
models|llms|language models
weights|model files|parameters
download|fetch|get
downloaded|fetched
downloads|fetches
save|store|keep
saved|stored|kept
load|open|read in
loaded|opened|read in
update|upgrade|refresh
new|newer|latest|recent
old|older|outdated
version|release
install|set up|put on
installed|set up
build|compile
copy|transfer
move|relocate|transfer
put|place|stick
write|compose
read|look through
learn|study
teach|instruct
help|assist|aid
helps|assists
want|would like|wish|wanna
try|attempt|give a go
happens|occurs|takes place
quit|exit|leave
kill|terminate
wait|hang on|be patient
waits|is waiting
waiting|pending
busy|occupied|under load
full|filled up
empty|blank
different|other|another
same|identical
similar|like
better|superior|nicer
best|ideal|top
bad|poor|terrible
good|fine|decent|great
easy|simple
easiest|simplest
hard|difficult|tricky
important|essential
special|particular
strange|weird|odd
whole|entire|complete
part|piece|bit
parts|pieces|bits
list|overview|enumerate
example|sample|demo
examples|samples
meaning|sense|definition
mean|signify|stand for
reason|cause
because of|due to
before|prior to
after|following
while|as|during the time
when|once|whenever
if|in case|whether
how much|what amount of
how many|what number of
how long|for what time
how do i|how can i|how to|hwo do i|how does one|how should one
i want to|i wanna|i'd like to|id like to|trying to|i am trying to
i have|i've got|ive got|there is
can i|could i|am i able to|is there a way to
what is|what's|whats|wat is
where is|where's|wheres
it is|it's|its
does it|will it|can it
do not|don't|dont
cannot|can't|cant|can not
will not|won't|wont
is not|isn't|isnt|aint
why is|how come|why's
tell me|let me know
give me|get me
"""


def table():
    out = {}
    for row in ROWS.split("\n"):
        for w in (some := [w for w in row.split("|") if w]):
            out[w] = out.get(w, []) + [x for x in some if x != w]
    return out


OTHER = table()
FIND = re.compile(r"(?<![\w/'.-])(" + "|".join(re.escape(w) for w in sorted(OTHER, key=len, reverse=True)) + r")(?![\w/'-])")


def reworded(text, rng, share=0.4):
    """The text with some of its words said otherwise."""
    return FIND.sub(lambda m: rng.choice(OTHER[m[1]]) if rng.random() < share else m[1], text)
