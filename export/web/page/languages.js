// Names of languages, and how their text is marked.

/** @returns {string} The language's name in itself, "Deutsch"; the code if unknown. */
export function autonym(code) {
  return nameIn(code, code) ?? code;
}

/** @returns {string} The language's name in English. */
export function nameOf(code) {
  return code ? (nameIn("en", code) ?? code) : "language not known";
}

function nameIn(locale, code) {
  try {
    const names = new Intl.DisplayNames([locale], { type: "language", fallback: "none" });
    const name = names.of(code);
    // A browser without the locale answers in its own language, which is still a name.
    return name && name[0].toLocaleUpperCase(locale) + name.slice(1);
  } catch {
    return null;
  }
}

/** @returns {string} The short label of a language, "DE". */
export const label = (code) => code.toUpperCase() || "–";
