// What is shown under the search box: results, examples, or what went wrong.

import { autonym, label, nameOf } from "/languages.js";

/** Shows sentences with their language and similarity, each a query to go on with. */
export function showResults(list, { hits, mean }, codes) {
  const rows = hits.map(({ text, language, cosine }) => {
    const code = codes[language];
    const button = node("button", { type: "button", className: "result" });
    button.append(
      languageLabel(code),
      sentence(text, code),
      similarity(cosine, mean),
    );
    const item = node("li");
    item.append(button);
    return item;
  });
  list.replaceChildren(...rows);
}

/** Shows sentences to try, each in another language. */
export function showExamples(container, { examples, languages }, use) {
  const buttons = examples.map(([language, text]) => {
    const button = node("button", { type: "button", className: "example" });
    button.append(languageLabel(languages[language]), sentence(text, languages[language]));
    button.addEventListener("click", () => use(text));
    return button;
  });
  container.replaceChildren(node("h2", { textContent: "Try one of these" }), ...buttons);
}

/** Says what went wrong and what to do. */
export function showProblem(container, problem) {
  const retry = node("button", { type: "button", textContent: "Load again" });
  retry.addEventListener("click", () => location.reload());
  container.replaceChildren(
    node("h2", { textContent: "The page cannot search", className: "problem" }),
    node("p", { textContent: problem }),
    node("p", {
      textContent: "See that the program that serves the page is still running, that " +
        "the model’s file is whole, and that the browser is of 2024 or later.",
    }),
    retry,
  );
}

function languageLabel(code) {
  const title = code ? `${nameOf(code)} · ${autonym(code)}` : nameOf(code);
  const shown = node("abbr", { textContent: label(code), title });
  shown.className = "language";
  return shown;
}

function sentence(text, code) {
  // bdi with dir="auto": each sentence runs in its own direction.
  return node("bdi", { textContent: text, lang: code, dir: "auto" });
}

/** The bar begins at what the average sentence has: cosines of all are high. */
function similarity(cosine, mean) {
  const title = `Cosine ${cosine.toFixed(3)}; of the average sentence ${mean.toFixed(3)}`;
  const shown = node("span", { className: "similarity", title });
  const bar = node("i");
  const share = Math.max(0, Math.min(1, (cosine - mean) / (1 - mean)));
  bar.style.setProperty("--share", share.toFixed(3));
  shown.append(node("span", { textContent: cosine.toFixed(2) }), bar);
  return shown;
}

function node(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}
