// The student in MediaPipe's WebAssembly runtime: text in, vector out.

import { FilesetResolver, TextEmbedder } from "/mediapipe/text_bundle.mjs";

const FILES = new URL("/mediapipe", location.origin).href;

/**
 * @param {ArrayBuffer} model A student_mediapipe_*.tflite file.
 * @returns {Promise<(text: string) => Float32Array>} Vectors of unit length.
 */
export async function loadEmbedder(model) {
  stayHome();
  const fileset = await FilesetResolver.forTextTasks(FILES, true);
  const embedder = await TextEmbedder.createFromOptions(fileset, {
    baseOptions: { modelAssetBuffer: new Uint8Array(model) },
  });
  return (text) => {
    // A lone surrogate has no UTF-8, and NUL would end the string in the runtime: a
    // character of private use is unknown to the tokenizer as NUL is.
    const clean = text.toWellFormed().replaceAll("\0", "\uE000");
    const { embeddings } = embedder.embed(clean);
    return Float32Array.from(embeddings[0].floatEmbedding);
  };
}

// The runtime reports its use to its maker. The page's policy forbids it; without
// this each attempt would be an error in the console.
function stayHome() {
  const { fetch } = self;
  self.fetch = (address, options) => {
    const own = new URL(address.url ?? address, location).origin === location.origin;
    return own ? fetch(address, options) : Promise.resolve(new Response());
  };
}
