// The row of languages: none chosen means all of them.

import { autonym, nameOf } from "/languages.js";

export class LanguageFilter {
  #boxes = [];
  #all;

  /**
   * @param {HTMLFieldSetElement} container Holds the switches.
   * @param {() => void} changed Called after the user's choice.
   */
  constructor(container, changed) {
    this.container = container;
    this.changed = changed;
  }

  /** Makes a switch for each language: codes, and how many sentences each has. */
  fill(codes, counts) {
    this.container.hidden = codes.length < 2;
    this.#all = this.#button("All", "", `${codes.length} languages`);
    this.#all.addEventListener("click", () => {
      this.choose([]);
      this.changed();
    });
    this.#boxes = codes.map((code, id) => {
      const title = `${nameOf(code)}, ${counts[id].toLocaleString("en")} sentences`;
      const button = this.#button(autonym(code) || "Other", code, title);
      button.addEventListener("click", () => {
        this.#press(button, button.ariaPressed !== "true");
        this.#pressAll();
        this.changed();
      });
      return button;
    });
    this.choose([]);
  }

  /** Chooses the languages with these codes; unknown ones do not count. */
  choose(codes) {
    for (const box of this.#boxes) this.#press(box, codes.includes(box.lang));
    this.#pressAll();
  }

  /** @returns {number[]} Ids of the chosen languages; empty for all. */
  get chosen() {
    return this.#boxes.flatMap((box, id) => (box.ariaPressed === "true" ? [id] : []));
  }

  #button(text, code, title) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: text, title, lang: code });
    this.container.append(button);
    return button;
  }

  #press(button, on) {
    button.setAttribute("aria-pressed", String(on));
  }

  #pressAll() {
    if (this.#all) this.#press(this.#all, !this.chosen.length);
  }
}
