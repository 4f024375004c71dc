// The page: what is asked, what is shown, and what happens in between.
import { drawCandidates, drawChips, drawComparison, drawSwap, drawTranslation, el, lightUp } from "/page/views.js";
import { Walk } from "/page/how.js";

const $ = (id) => document.getElementById(id);
const TYPING = 300; // ms without a key until the sentence is translated
const EXAMPLES = {
  en: ["The old woman wanted to buy three books.", "My friend gave the child a red apple.", "We think that the teacher will come home tomorrow."],
  de: ["Die alte Frau wollte drei Bücher kaufen.", "Mein Freund gab dem Kind einen roten Apfel."],
};
const NAMES = new Intl.DisplayNames(["en"], { type: "language" });

// model: /model; text: asked; candidates: found; shown: what is drawn; base: the candidate before swaps; open: place.
const state = { model: null, text: "", candidates: [], chosen: 0, shown: null, base: null, open: null };
let asking = null;
const walk = new Walk({ text: $("how-text"), stage: $("how-stage"), count: $("how-count"), back: $("how-back"), next: $("how-next"), play: $("how-play") });

async function call(path, body, signal) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal } : { signal };
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer.");
  }
  const answer = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error; // a newer text has come while this answer was being read
    return { error: `The server answered ${response.status}.` };
  });
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** Run something that may fail; tell people when it does. */
async function attempt(work) {
  try {
    $("problem").hidden = true;
    await work();
  } catch (error) {
    if (error.name === "AbortError") return;
    $("problem").textContent = error.message;
    $("problem").hidden = false;
  }
}

const say = (text) => ($("status").textContent = text);

async function translate(announce) {
  const text = $("text").value.trim();
  asking?.abort();
  if (!text) {
    Object.assign(state, { text, candidates: [], shown: null, base: null, open: null });
    return draw();
  }
  asking = new AbortController();
  const { signal } = asking;
  document.body.classList.add("busy");
  await attempt(async () => {
    const beam = state.model.latents ? Math.min(4, state.model.limits.beam) : 1;
    const found = await call("/translate", { text, beam, n_best: beam, scores: true, codes: true, alignment: true }, signal);
    state.text = text;
    state.candidates = found.translations[0].candidates;
    choose(0);
    if (announce) say(`Translation: ${state.shown.text}`);
    await Promise.all([compare(text, signal), explain(signal)]);
  });
  if (asking?.signal === signal) document.body.classList.remove("busy");
}

async function compare(text, signal) {
  drawComparison($("compare"), await call("/compare", { text }, signal), state.model.target_lang);
}

async function explain(signal) {
  if (!state.model.latents || $("how-view").hidden || !state.shown) return;
  walk.show(await call("/explain", { text: state.text, codes: state.shown.codes }, signal), state.model);
}

function choose(index) {
  Object.assign(state, { chosen: index, shown: state.candidates[index], base: state.candidates[index], open: null });
  draw();
}

/** Open or close the list of other codes for a place. */
async function press(place) {
  if (state.open === place) return close();
  await attempt(async () => {
    const { proposals } = await call("/codes", { text: state.text, codes: state.shown.codes, place });
    state.open = place;
    draw();
    drawSwap($("swap"), place, state.shown, proposals, state.model.codebook, { choose: (code) => swap(place, code), close });
    ($("swap").querySelector('[aria-pressed="false"]') ?? $("any-code")).focus();
  });
}

function close() {
  const place = state.open;
  state.open = null;
  draw();
  chip(place)?.focus();
}

const chip = (place) => document.querySelector(`.chip[data-place="${place}"]`);

async function swap(place, code) {
  await attempt(async () => {
    const codes = state.shown.codes.with(place, code);
    const found = await call("/translate", { text: state.text, given_codes: codes, scores: true, codes: true, alignment: true });
    const before = state.shown;
    state.shown = found.translations[0].candidates[0];
    state.open = null;
    draw();
    chip(place)?.focus();
    say(`Code ${place + 1} is now ${code} instead of ${before.codes[place]}. Translation: ${state.shown.text}`);
    await explain();
  });
}

function draw() {
  const { shown, base, open, model } = state;
  const swapped = Boolean(shown && base && shown !== base);
  drawTranslation($("translation"), shown ?? { text: "" }, swapped ? base : null, lightUp);
  $("codes-block").hidden = !shown?.codes?.length;
  $("reset").hidden = !swapped;
  $("swap").hidden = open === null;
  if (shown?.codes) drawChips($("chips"), shown, base, open, { light: lightUp, press });
  drawCandidates($("candidates"), state.candidates, swapped ? -1 : state.chosen, (index) => (choose(index), explain(), say(`Candidate ${index + 1}: ${state.shown.text}`)));
  $("candidates-block").hidden = state.candidates.length < 2;
  const count = shown?.codes?.length;
  $("summary").textContent = shown && count ? `${count} ${count === 1 ? "code" : "codes"} for ${shown.alignment.words.length} words; score ${shown.score.toFixed(3).replace("-", "−")}${swapped ? `, before the swap ${base.score.toFixed(3).replace("-", "−")}` : ""}` : "";
  if (!shown) $("compare").replaceChildren();
}

function view() {
  const name = location.hash === "#how" && state.model.latents ? "how" : "translate";
  $("translate-view").hidden = name !== "translate";
  $("how-view").hidden = name !== "how";
  for (const link of document.querySelectorAll("[data-view]"))
    link.dataset.view === name ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  if (name === "how") attempt(() => explain());
  else walk.stop();
}

function keys() {
  let typing;
  $("text").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => translate(false), TYPING);
  });
  $("text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("ask").requestSubmit();
  });
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    translate(true);
  });
  $("reset").addEventListener("click", () => {
    choose(state.chosen);
    chip(0)?.focus();
    say(`Translation: ${state.shown.text}`);
    attempt(() => explain());
  });
  document.addEventListener("keydown", (event) => {
    const here = document.activeElement;
    if (event.key === "Escape" && state.open !== null) close();
    else if (here?.classList.contains("chip")) step(event, here, ".chip", "ArrowLeft", "ArrowRight");
    else if (here?.classList.contains("option")) step(event, here, ".option", "ArrowUp", "ArrowDown");
    else if (!$("how-view").hidden && here?.tagName !== "TEXTAREA") {
      if (event.key === "ArrowRight") walk.parts.next.click();
      if (event.key === "ArrowLeft") walk.parts.back.click();
    }
  });
  addEventListener("hashchange", view);
}

/** Arrow keys move among neighbors. */
function step(event, here, selector, back, forth) {
  const all = [...document.querySelectorAll(selector)];
  const move = { [back]: -1, [forth]: 1 }[event.key];
  if (!move) return;
  event.preventDefault();
  all[(all.indexOf(here) + move + all.length) % all.length].focus();
}

async function start() {
  const model = (state.model = await call("/model"));
  const languages = [model.source_lang, model.target_lang].map((code) => NAMES.of(code) ?? code);
  $("served").textContent = `${languages.join(" → ")} · ${model.name} · ${model.precision}`;
  $("source-label").textContent = `A sentence in ${languages[0]}`;
  $("text").lang = model.source_lang;
  $("translation").lang = $("candidates").lang = model.target_lang;
  $("text").maxLength = model.limits.length;
  document.querySelector('[data-view="how"]').hidden = !model.latents;
  $("teacher-title").textContent = model.teacher ? "Beside the teacher" : "Time";
  const examples = EXAMPLES[model.source_lang] ?? [];
  const use = (text) => (($("text").value = text), translate(true));
  $("examples").replaceChildren(
    ...examples.map((text, index) => el("button", { type: "button", "aria-label": `Example: ${text}`, on: { click: () => use(text) } }, `Example ${index + 1}`)),
  );
  keys();
  view();
  if (!$("text").value) $("text").value = examples[0] ?? "";
  await translate(false);
}

attempt(start);
