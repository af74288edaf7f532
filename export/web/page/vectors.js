// Vectors as signed bytes, of which directions alone count, and the search in them.

/** Sentences' vectors, which may still be filling up. */
export class Vectors {
  /**
   * @param {number} count Rows there will be.
   * @param {number} dim Of a vector.
   * @param {?Int8Array} bytes (count * dim), where they are known already.
   */
  constructor(count, dim, bytes = null) {
    this.dim = dim;
    this.count = count;
    this.filled = bytes ? count : 0;
    this.bytes = bytes ?? new Int8Array(count * dim);
    this.inverse = new Float32Array(count);
    for (let row = 0; row < this.filled; row++) this.#measure(row);
  }

  /** Adds the next row, a Float32Array (dim,), filled to 127. */
  push(vector) {
    let peak = 1e-12;
    for (const value of vector) peak = Math.max(peak, Math.abs(value));
    const start = this.filled * this.dim;
    for (let i = 0; i < this.dim; i++) {
      this.bytes[start + i] = Math.round((vector[i] * 127) / peak);
    }
    this.#measure(this.filled++);
  }

  #measure(row) {
    let sum = 0;
    const end = (row + 1) * this.dim;
    for (let i = row * this.dim; i < end; i++) sum += this.bytes[i] * this.bytes[i];
    this.inverse[row] = 1 / Math.sqrt(Math.max(sum, 1));
  }

  /**
   * @param {Float32Array} query (dim,) of unit length.
   * @param {number} top Rows at most.
   * @param {(row: number) => boolean} wanted Which rows may be found.
   * @returns {{hits: {row: number, cosine: number}[], mean: number}} The nearest
   *   first, and the mean cosine of all wanted rows: what the unrelated have.
   */
  nearest(query, top, wanted) {
    const { bytes, dim, inverse } = this;
    const found = [];
    let least = -Infinity;
    let total = 0;
    let wantedRows = 0;
    for (let row = 0; row < this.filled; row++) {
      if (!wanted(row)) continue;
      let sum = 0;
      for (let i = 0, j = row * dim; i < dim; i++, j++) sum += query[i] * bytes[j];
      const cosine = sum * inverse[row];
      total += cosine;
      wantedRows++;
      if (cosine <= least && found.length === top) continue;
      let place = found.length;
      while (place > 0 && found[place - 1].cosine < cosine) place--;
      found.splice(place, 0, { row, cosine });
      if (found.length > top) found.pop();
      least = found.at(-1).cosine;
    }
    return { hits: found, mean: wantedRows ? total / wantedRows : 0 };
  }
}
