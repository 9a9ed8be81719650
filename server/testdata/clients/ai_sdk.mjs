// Calls a weft server with the Vercel AI SDK; run by TestClients. Usage: ai_sdk.mjs BASE_URL KEY
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.cwd() + "/"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { generateText, streamText } = await load("ai");
const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");

const [baseURL, apiKey] = process.argv.slice(2);
const weft = createOpenAICompatible({ name: "weft", baseURL, apiKey, includeUsage: true });
const want = "The capital of France";

for (const model of [weft("tiny"), weft.completionModel("tiny")]) {
  const whole = await generateText({ model, prompt: "hello", maxRetries: 0, temperature: 0.5, seed: 3 });
  assert.equal(whole.text, want);
  assert.equal(whole.finishReason, "stop");
  const stream = streamText({ model, prompt: "hello", maxRetries: 0 });
  let text = "";
  for await (const part of stream.textStream) text += part;
  assert.equal(text, want);
  assert.equal((await stream.usage).outputTokens, 4);
}
const system = { model: weft("tiny"), system: "be short", messages: [{ role: "user", content: [{ type: "text", text: "hello" }] }] };
assert.equal((await generateText(system)).text, want);
await assert.rejects(generateText({ ...system, maxOutputTokens: 4096, maxRetries: 0 }), (e) => e.statusCode === 400 && /limit 64/.test(e.message));
console.log("ok: ai-sdk");
