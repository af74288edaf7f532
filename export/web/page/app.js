// The page: what is typed goes to the worker, what it finds is shown.

import { LanguageFilter } from "/filter.js";
import { showExamples, showProblem, showResults } from "/view.js";

const TOP = 20;
// While sentences are read, how long results of the earlier ones stay.
const REFRESH_MS = 1000;

const element = (id) => document.getElementById(id);
const query = element("query");
const results = element("results");
const filter = new LanguageFilter(element("languages"), ask);
const worker = new Worker("/engine.js", { type: "module" });

let opened = null;
// One query is in the worker at a time; what was typed meanwhile follows it.
let waiting = false;
let outdated = false;
let searchable = false;
let asked = 0;

const handlers = {
  opened(message) {
    opened = message;
    filter.fill(message.languages, message.counts);
    restore();
    if (!query.value) rest();
  },
  progress({ stage, done, total }) {
    const bar = element("progress");
    bar.hidden = false;
    bar.firstElementChild.style.transform = `scaleX(${total ? done / total : 0})`;
    if (stage === "model") {
      const of = `${megabytes(done)} of ${megabytes(total)} MB`;
      state(done < total ? `Loading the model, ${of}` : "Starting the model");
      return;
    }
    state(`Reading sentences, ${number(done)} of ${number(total)}`);
    if (searchable && performance.now() - asked < REFRESH_MS) return;
    searchable = true;
    refresh();
  },
  ready({ searched, dim, bytes }) {
    element("progress").hidden = true;
    searchable = true;
    state("Ready, also offline", "ready");
    about(`${number(searched)} sentences · ${megabytes(bytes)} MB · ${dim} dimensions`);
    refresh();
  },
  found(message) {
    waiting = false;
    if (outdated) return ask();
    if (!query.value.trim()) return;
    element("notice").replaceChildren();
    showResults(results, message, opened.languages);
    summarise(message);
  },
  failed({ problem }) {
    element("progress").hidden = true;
    state("Stopped", "failed");
    element("summary").textContent = "";
    results.replaceChildren();
    showProblem(element("notice"), problem);
  },
};

worker.onmessage = ({ data }) => handlers[data.type](data);
worker.onerror = (event) => {
  event.preventDefault();
  const problem = event.message || "The browser could not start the model.";
  handlers.failed({ problem });
};

function ask() {
  remember();
  const text = query.value.trim();
  if (!text) return rest();
  if (!searchable) return waitForModel();
  if (waiting) {
    outdated = true;
    return;
  }
  waiting = true;
  outdated = false;
  asked = performance.now();
  worker.postMessage({ query: text, languages: filter.chosen, top: TOP });
}

/** Asks again, of more sentences, unless the user is among the results. */
function refresh() {
  if (query.value.trim() && !results.contains(document.activeElement)) ask();
}

/** Without a query there are examples to try. */
function rest() {
  outdated = false;
  results.replaceChildren();
  element("summary").textContent = "";
  if (opened) showExamples(element("notice"), opened, use);
}

function waitForModel() {
  element("notice").replaceChildren();
  element("summary").textContent = "Searches as soon as the model has started.";
}

function use(text) {
  query.value = text;
  query.focus();
  scrollTo({ top: 0 });
  ask();
}

function summarise({ hits, searched, embedMs, searchMs }) {
  const scope = filter.chosen.length ? "in the chosen languages of" : "of";
  const time = `${milliseconds(embedMs + searchMs)} ms`;
  const parts = `${milliseconds(embedMs)} model, ${milliseconds(searchMs)} search`;
  const found = hits.length
    ? `${hits.length} nearest ${scope} ${number(searched)}`
    : "No sentence in the chosen languages yet";
  element("summary").textContent = `${found} · ${time} (${parts})`;
}

function state(text, kind = "busy") {
  const shown = element("state");
  if (shown.textContent !== text) shown.textContent = text;
  shown.dataset.kind = kind;
}

async function about(figures) {
  const { name, runtime, licence } = await aboutModel;
  const source = opened.name === name ? "" : opened.name;
  const model = [`student “${name}”`, licence && `licence ${licence}`, runtime];
  const parts = [source, figures, ...model].filter(Boolean);
  element("about").textContent = parts.join(" · ");
}
const aboutModel = fetch("/about.json").then((response) => response.json());

/** Query and filter are in the address, so that a search can be sent to somebody. */
function remember() {
  const parameters = new URLSearchParams();
  if (query.value) parameters.set("q", query.value);
  const codes = filter.chosen.map((id) => opened.languages[id]);
  if (codes.length) parameters.set("in", codes.join(" "));
  const address = parameters.size ? `#${parameters}` : location.pathname;
  history.replaceState(null, "", address);
}

function restore() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  query.value ||= parameters.get("q") ?? "";
  filter.choose((parameters.get("in") ?? "").split(" ").filter(Boolean));
}

const number = (value) => value.toLocaleString("en");
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
const milliseconds = (value) => value.toFixed(value < 10 ? 1 : 0);

query.addEventListener("input", ask);
element("form").addEventListener("submit", (event) => event.preventDefault());
element("form").addEventListener("reset", (event) => {
  event.preventDefault();
  use("");
});
addEventListener("hashchange", () => {
  query.value = "";
  restore();
  ask();
});
results.addEventListener("click", (event) => {
  const sentence = event.target.closest("button")?.querySelector("bdi");
  // Text that was just marked is to be copied.
  if (sentence && getSelection().isCollapsed) use(sentence.textContent);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const rows = [...results.querySelectorAll("button")];
  const place = rows.indexOf(document.activeElement);
  const typing = document.activeElement === query;
  if (event.key === "/" && !typing) {
    query.focus();
    query.select();
  } else if (event.key === "ArrowDown" && (place >= 0 || typing)) {
    rows[Math.min(place + 1, rows.length - 1)]?.focus();
  } else if (event.key === "ArrowUp" && place >= 0) {
    (rows[place - 1] ?? query).focus();
  } else if (event.key === "Escape") {
    if (typing) use("");
    query.focus();
  } else {
    return;
  }
  event.preventDefault();
});
