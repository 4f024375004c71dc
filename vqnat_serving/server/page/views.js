// What the page draws: plain functions from data to elements.

/** An element with attributes and children; text is never read as HTML. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [event, handler] of Object.entries(value)) made.addEventListener(event, handler);
    else if (key === "vars") for (const [variable, v] of Object.entries(value)) made.style.setProperty(`--${variable}`, v);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** The hue of a code's place: neighbors far apart on the color wheel. */
export const hue = (place) => String((250 + place * 137.5) % 360);

export const percent = (share) => (share < 0.0005 ? "< 0.1 %" : share >= 0.0995 ? `${Math.round(share * 100)} %` : `${(share * 100).toFixed(1)} %`);

/** A bar for a probability, with its number. */
export function share(value, place) {
  return el("span", { class: "share" }, el("i", { vars: { share: `${value * 100}%`, hue: hue(place) } }), el("span", {}, percent(value)));
}

/** A piece as people read it: sentencepiece marks the beginning of a word. */
export const readable = (piece) => ({ "<s>": "∅", "</s>": "end", "<unk>": "?" })[piece] ?? (piece.replace("▁", "") || "␣");

/** The words of a place, joined. */
export const wordsOf = (candidate, place) =>
  candidate.alignment.words.filter((word) => word.codes.includes(place)).map((word) => word.text).join(" ");

/** For each word of `now` whether it is not in `before`, by the longest common subsequence. */
export function changed(before, now) {
  const table = Array.from({ length: before.length + 1 }, () => new Array(now.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      table[i][j] = before[i] === now[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  const marks = new Array(now.length).fill(true);
  for (let i = 0, j = 0; i < before.length && j < now.length; ) {
    if (before[i] === now[j]) (marks[j] = false), i++, j++;
    else if (table[i + 1][j] >= table[i][j + 1]) i++;
    else j++;
  }
  return marks;
}

/** The translation as words that light up with their codes. */
export function drawTranslation(target, candidate, before, light) {
  const words = candidate.alignment?.words ?? [];
  const marks = changed(before?.alignment.words.map((word) => word.text) ?? words.map((word) => word.text), words.map((word) => word.text));
  target.replaceChildren();
  words.forEach((word, index) => {
    const made = el(
      "span",
      {
        class: `word${word.codes.length ? "" : " none"}${marks[index] ? " changed" : ""}`,
        "data-codes": word.codes.join(" "),
        vars: { hue: hue(word.codes[0] ?? 0) },
        on: { pointerenter: () => light(word.codes), pointerleave: () => light(null) },
      },
      word.text,
    );
    target.append(index ? " " : "", made);
  });
  if (!words.length) target.append(candidate.text || "…");
}

/** The codes as chips; `open` is the place whose swap is shown. */
export function drawChips(target, candidate, model, open, { light, press }) {
  const count = candidate.codes.length;
  target.replaceChildren(
    ...candidate.codes.map((code, place) => {
      const wrote = wordsOf(candidate, place);
      const swapped = model && model.codes[place] !== code;
      const label = `Code ${place + 1} of ${count}, number ${code}${swapped ? ", swapped" : ""}. It wrote: ${wrote || "nothing"}. Press to swap it.`;
      const button = el(
        "button",
        {
          type: "button", class: `chip${swapped ? " swapped" : ""}`, "data-place": place, "aria-label": label,
          "aria-expanded": String(place === open), "aria-controls": "swap", vars: { hue: hue(place) },
          on: {
            pointerenter: () => light([place]), pointerleave: () => light(null),
            focus: () => light([place]), blur: () => light(null), click: () => press(place),
          },
        },
        el("b", {}, String(code)), el("span", {}, wrote || "no word"),
      );
      return el("li", {}, button);
    }),
  );
}

/** Light up words and chips of some places; null: none. */
export function lightUp(places) {
  const translation = document.getElementById("translation");
  translation.classList.toggle("dim", Boolean(places?.length));
  for (const word of translation.querySelectorAll(".word")) {
    const codes = word.dataset.codes.split(" ").filter(Boolean).map(Number);
    const shared = codes.find((code) => places?.includes(code));
    word.classList.toggle("lit", shared !== undefined);
    if (codes.length) word.style.setProperty("--hue", hue(shared ?? codes[0]));
  }
  for (const chip of document.querySelectorAll(".chip"))
    chip.classList.toggle("lit", Boolean(places?.includes(Number(chip.dataset.place))));
}

/** The list of other codes for a place. */
export function drawSwap(target, place, candidate, proposals, codebook, { choose, close }) {
  const current = candidate.codes[place];
  const now = candidate.alignment.words.map((word) => word.text);
  const options = proposals.map((proposal) => {
    const words = proposal.candidate.alignment.words.map((word) => word.text);
    const marks = changed(now, words);
    const would = el("span", { class: "would" });
    words.forEach((word, index) => would.append(index ? " " : "", marks[index] ? el("em", {}, word) : word));
    const wrote = wordsOf(proposal.candidate, place);
    const label = [
      `Code ${proposal.code}${proposal.code === current ? ", in use" : ""}`,
      proposal.probability == null ? null : `probability ${percent(proposal.probability)}`,
      proposal.often.length ? `often writes ${proposal.often.join(", ")}` : null,
      `here it writes: ${wrote || "nothing"}. The translation: ${proposal.candidate.text}`,
    ];
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button", class: "option", "data-code": proposal.code, "aria-pressed": String(proposal.code === current),
          "aria-label": label.filter(Boolean).join("; "), vars: { hue: hue(place) }, on: { click: () => choose(proposal.code) },
        },
        el("b", {}, String(proposal.code)),
        proposal.probability == null ? el("span") : share(proposal.probability, place),
        el("span", { class: "often" }, proposal.often.join(" · ")),
        would,
      ),
    );
  });
  const number = el("input", { id: "any-code", type: "number", min: 0, max: codebook - 1, step: 1, required: true });
  const submit = (event) => (event.preventDefault(), choose(Number(number.value)));
  target.replaceChildren(
    el(
      "div", { class: "head" },
      el("h3", { id: "swap-title" }, `Another code for place ${place + 1}`),
      el("p", { class: "quiet" }, proposals[0]?.probability == null ? "What each would write here." : "How likely after the codes before it, what it often writes, and what it would write here."),
      el("button", { type: "button", class: "plain", on: { click: close } }, "Close"),
    ),
    el("ol", { class: proposals.some((one) => one.often.length) ? "options" : "options unknown" }, ...options),
    el("form", { on: { submit } }, el("label", { for: "any-code", class: "quiet" }, `Or any of ${codebook} codes:`), number, el("button", {}, "Try it")),
  );
}

/** The candidates of the search. */
export function drawCandidates(target, candidates, chosen, choose) {
  target.replaceChildren(
    ...candidates.map((candidate, index) =>
      el(
        "li", {},
        el(
          "button",
          { type: "button", "aria-pressed": String(index === chosen), on: { click: () => choose(index) } },
          el("span", { class: "score" }, candidate.score.toFixed(3).replace("-", "−")),
          el("span", { class: "text" }, candidate.text || "(nothing)"),
          candidate.codes ? el("span", { class: "list" }, el("span", { class: "hidden" }, "codes "), candidate.codes.join(" ")) : null,
        ),
      ),
    ),
  );
}

/** Both times as bars, and the teacher's translation. */
export function drawComparison(target, found, language) {
  const { model, teacher } = found;
  const most = Math.max(model.ms, teacher?.ms ?? 0);
  const line = (name, timed, other) =>
    el(
      "div", { class: other ? "other" : "" },
      el("dt", {}, el("span", {}, name), el("b", {}, `${timed.ms < 10 ? timed.ms.toFixed(1) : Math.round(timed.ms)} ms`)),
      el("dd", {}, el("div", { class: "bar", vars: { share: `${(timed.ms / most) * 100}%` } }), el("small", { class: "quiet" }, timed.how)),
    );
  target.replaceChildren(
    ...(teacher ? [el("p", { class: "teacher-text", lang: language }, teacher.text)] : []),
    el("dl", { class: "times" }, line("This model", model, false), ...(teacher ? [line("Teacher", teacher, true)] : [])),
    el(
      "p", { class: "quiet note" },
      `Measured in the server, ${teacher ? "each alone, one after the other" : "alone"}: median of ${found.runs} runs, from text to text, one sentence.`,
      ...(teacher ? [] : [" For a teacher beside it, start the server with ", el("code", {}, "--teacher"), "."]),
    ),
  );
}
