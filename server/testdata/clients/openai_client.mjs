// Calls a weft server with the official Node client; run by TestClients. Usage: openai_client.mjs BASE_URL KEY
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.cwd() + "/"));
const { default: OpenAI } = await import(pathToFileURL(require.resolve("openai")).href);

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const chat = { model: "tiny", messages: [{ role: "user", content: "hello" }] };
const want = "The capital of France";

const answer = await client.chat.completions.create(chat);
assert.equal(answer.choices[0].message.content, want);

let text = "";
for await (const chunk of await client.chat.completions.create({ ...chat, stream: true, stream_options: { include_usage: true } })) {
  text += chunk.choices[0]?.delta.content ?? "";
}
assert.equal(text, want);

// ChatCompletionStream checks the contract: a role first, a finish_reason for every choice.
const stream = client.chat.completions.stream({ ...chat, n: 2, logprobs: true, stream_options: { include_usage: true } });
const final = await stream.finalChatCompletion();
assert.deepEqual(final.choices.map((c) => [c.index, c.message.role, c.message.content, c.finish_reason]), [
  [0, "assistant", want, "stop"],
  [1, "assistant", want, "stop"],
]);
assert.equal(final.usage.completion_tokens, 8);
assert.equal(final.choices[1].logprobs.content.length, 4);

text = "";
for await (const chunk of await client.completions.create({ model: "tiny", prompt: "hello", stream: true })) text += chunk.choices[0].text;
assert.equal(text, want);

assert.equal((await client.models.retrieve("tiny")).id, "tiny");
await assert.rejects(client.chat.completions.create({ ...chat, model: "gpt-4" }), (e) => e.status === 404 && e.code === "model_not_found");
await assert.rejects(client.chat.completions.create({ ...chat, max_tokens: 3 }), (e) => e instanceof OpenAI.RateLimitError);
await assert.rejects(client.chat.completions.stream({ ...chat, max_tokens: 5 }).finalChatCompletion(), (e) => e.code === "numeric_error");

const cut = await client.chat.completions.create({ ...chat, stream: true, max_tokens: 6 });
for await (const _ of cut) break; // hangs up in the middle
console.log("ok: openai-node", (await import(pathToFileURL(require.resolve("openai/version")).href)).VERSION);
