// The vendors' own libraries behind one question and one answer, each a line of JSON.
//
//   {"client": "svix", "action": "load"}         ->  {"loaded": true}
//   {"client": "svix", "action": "sign", …}      ->  {"signature"}, and what else the library made
//   {"client": "svix", "action": "verify", …}    ->  {"verdict": "ok"} or {"verdict": "refused", "why"}, with "printed"
//   {"client": "slack", "action": "answer", …}   ->  {"answer": {"status", "headers", "body"}}: see handshakes.mjs
//   anything that goes wrong otherwise           ->  {"error"}
//
// `secret` is what the vendor shows, as text; for a pair of keys, the private one as PEM to sign, and the public one as
// the vendor shows it to verify. An answer never repeats what a library says, which may be the signature that it expects:
// `why` is the name of an error, and `printed` how many characters the library wrote to its output, which is dropped.

import { createInterface } from "node:readline";
import { answers } from "./handshakes.mjs";
import { sdks } from "./npm.mjs";

const reply = process.stdout.write.bind(process.stdout);
let printed = 0;
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (text) => {
    printed += text.length;
    return true;
  };
}

const loaded = new Map();

async function library(sdk) {
  if (!loaded.has(sdk)) {
    loaded.set(sdk, await sdk.load());
  }
  return loaded.get(sdk);
}

async function answer(question) {
  const sdk = (question.action === "answer" ? answers : sdks)[question.client];
  let lib;
  try {
    lib = await library(sdk);
  } catch (error) {
    return { error: `cannot be loaded: ${error.message}` };
  }
  printed = 0;
  switch (question.action) {
    case "answer":
      return { answer: await sdk.answer(lib, question) };
    case "load":
      return { loaded: true };
    case "sign": {
      const made = await sdk.sign(lib, question);
      return typeof made === "string" ? { signature: made } : made;
    }
  }
  try {
    const verdict = await sdk.verify(lib, question);
    return verdict === false ? { verdict: "refused", why: "false", printed } : { verdict: "ok", printed };
  } catch (error) {
    // A mistake of ours in calling the library must not look like a refusal.
    const why = error?.constructor?.name;
    if (sdk.refusal?.includes(why)) {
      return { verdict: "refused", why, printed };
    }
    throw error;
  }
}

// Where an error is from, without its text.
function place(error) {
  const lines = String(error?.stack).split("\n");
  const frames = lines.filter((line) => /^ +at /.test(line)).map((line) => line.trim());
  return [error?.constructor?.name, ...frames.slice(0, 3)].join(" ");
}

for await (const line of createInterface({ input: process.stdin })) {
  const answered = await answer(JSON.parse(line)).catch((error) => ({ error: place(error) }));
  reply(`${JSON.stringify(answered)}\n`);
}
