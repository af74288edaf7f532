// Reads the file that export/web/index_file.py documents and writes.

const MAGIC = "BABELETW";

/**
 * @param {ArrayBuffer} buffer The whole file.
 * @returns {{name: string, languages: string[], count: number, dim: number,
 *   language: Uint16Array, text: (row: number) => string, vectors: ?Int8Array}}
 */
export function readIndex(buffer) {
  const header = readHeader(buffer);
  const { count, dim } = header;
  let position = aligned(header.end);
  const section = (type, length) => {
    const array = new type(buffer, position, length);
    position = aligned(position + array.byteLength);
    return array;
  };
  const language = section(Uint16Array, count);
  const offsets = section(Uint32Array, count + 1);
  const texts = section(Uint8Array, offsets[count]);
  const vectors = dim ? section(Int8Array, count * dim) : null;
  const decoder = new TextDecoder();
  const text = (row) => decoder.decode(texts.subarray(offsets[row], offsets[row + 1]));
  return { ...header, language, text, vectors };
}

function readHeader(buffer) {
  const start = new Uint8Array(buffer, 0, 8);
  const view = new DataView(buffer);
  if (String.fromCharCode(...start) !== MAGIC || view.getUint32(8, true) !== 1) {
    throw new Error("The file of sentences is of another kind or version.");
  }
  const end = 16 + view.getUint32(12, true);
  const json = new TextDecoder().decode(new Uint8Array(buffer, 16, end - 16));
  return { ...JSON.parse(json), end };
}

const aligned = (position) => Math.ceil(position / 8) * 8;
