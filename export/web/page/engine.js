// The worker: loads the model and the sentences, computes vectors, answers queries.

import { loadEmbedder } from "/embedder.js";
import { readIndex } from "/index-file.js";
import { cacheKey, keep, recall } from "/vector-cache.js";
import { Vectors } from "/vectors.js";

// Between two looks at the messages: what a query waits for at most.
const SLICE_MS = 40;
const EXAMPLES = 6;
const EXAMPLE_LENGTH = 56;
const SCRIPTS = "Latin Han Cyrillic Arabic Hebrew Greek Hangul Thai"
  .split(" ")
  .map((name) => new RegExp(`^\\p{Script=${name}}`, "u"));

let embed;
let index;
let vectors;

async function start() {
  const sentences = await download("/sentences.index");
  index = readIndex(sentences);
  postMessage({ type: "opened", ...describe(index) });
  const model = await download("/model.tflite");
  const key = cacheKey(model, sentences);
  embed = await loadEmbedder(model);
  const dim = embed("").length;
  if (index.dim && index.dim !== dim) {
    throw new Error(`The index has vectors of ${index.dim} numbers, the model ${dim}.`);
  }
  const known = index.vectors ?? (await recall(await key));
  vectors = new Vectors(index.count, dim, known);
  if (!known) {
    await compute();
    await keep(await key, vectors.bytes);
  }
  // The first search is slow while the browser compiles it: let it be nobody's.
  vectors.nearest(embed("."), 1, () => true);
  const bytes = model.byteLength;
  postMessage({ type: "ready", searched: vectors.filled, dim, bytes });
}

/** Fetches a file, telling how far it is. */
async function download(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  const total = Number(response.headers.get("Content-Length"));
  const bytes = new Uint8Array(total);
  let done = 0;
  for (const reader = response.body.getReader(); ; ) {
    const part = await reader.read();
    if (part.done) break;
    bytes.set(part.value, done);
    done += part.value.length;
    if (address === "/model.tflite") report("model", done, total);
  }
  if (done !== total) throw new Error(`${address} arrived only in part.`);
  return bytes.buffer;
}

async function compute() {
  while (vectors.filled < vectors.count) {
    const end = performance.now() + SLICE_MS;
    while (performance.now() < end && vectors.filled < vectors.count) {
      vectors.push(embed(index.text(vectors.filled)));
    }
    report("vectors", vectors.filled, vectors.count);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function report(stage, done, total) {
  postMessage({ type: "progress", stage, done, total });
}

/** What the page shows of an index before anything is searched. */
function describe({ name, languages, language, count, text }) {
  const counts = languages.map(() => 0);
  for (const id of language) counts[id]++;
  const script = (example) => SCRIPTS.findIndex((pattern) => pattern.test(example));
  const candidates = new Map();
  for (let row = 0; row < count && candidates.size < languages.length; row++) {
    // Steps of a prime: neighbouring rows are often translations of one another.
    const spread = (row * 7919) % count;
    const example = text(spread);
    if (example.length > EXAMPLE_LENGTH || candidates.has(language[spread])) continue;
    candidates.set(language[spread], example);
  }
  // One in each script before a second in any.
  const seen = new Set();
  const first = ([, example]) => {
    const isNew = !seen.has(script(example));
    seen.add(script(example));
    return isNew;
  };
  const all = [...candidates];
  const firsts = all.filter(first);
  const others = all.filter((candidate) => !firsts.includes(candidate));
  const examples = [...firsts, ...others].slice(0, EXAMPLES);
  return { name, languages, counts, count, examples };
}

function search({ query, languages, top }) {
  const begin = performance.now();
  const vector = embed(query);
  const embedded = performance.now();
  const wanted = languages.length ? new Set(languages) : null;
  const { hits, mean } = vectors.nearest(
    vector,
    top,
    (row) => !wanted || wanted.has(index.language[row]),
  );
  const searched = performance.now();
  postMessage({
    type: "found",
    hits: hits.map(({ row, cosine }) => ({
      text: index.text(row),
      language: index.language[row],
      cosine,
    })),
    mean,
    searched: vectors.filled,
    embedMs: embedded - begin,
    searchMs: searched - embedded,
  });
}

function fail(error) {
  // The runtime appends where in its source it failed, which tells the user nothing.
  const problem = error.message.split("=== Source")[0].trim();
  postMessage({ type: "failed", problem });
}

self.onmessage = ({ data }) => {
  try {
    search(data);
  } catch (error) {
    fail(error);
  }
};

start().catch(fail);
