// Keeps the vectors of the last sentences, so that a page opened again has them.

const NAME = "babelet-vectors";

/** @returns {Promise<string>} What the vectors depend on, as an address. */
export async function cacheKey(...buffers) {
  const digests = await Promise.all(
    buffers.map((buffer) => crypto.subtle.digest("SHA-256", buffer)),
  );
  const bytes = digests.flatMap((digest) => [...new Uint8Array(digest)]);
  return "/vectors/" + bytes.map((x) => x.toString(16).padStart(2, "0")).join("");
}

/** @returns {Promise<?Int8Array>} The kept vectors; null if there are none. */
export async function recall(key) {
  try {
    const kept = await (await caches.open(NAME)).match(key);
    return kept ? new Int8Array(await kept.arrayBuffer()) : null;
  } catch {
    return null; // Storage may be forbidden; they are computed anew.
  }
}

/** Keeps these vectors in the place of those before. */
export async function keep(key, vectors) {
  try {
    await caches.delete(NAME);
    await (await caches.open(NAME)).put(key, new Response(vectors));
  } catch {
    // Storage may be forbidden or full; the page works without.
  }
}
