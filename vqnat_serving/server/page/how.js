// "How it works": encoder, codes one after another, all words at once, for the sentence at hand.
import { el, hue, readable, share } from "/page/views.js";

export class Walk {
  constructor(parts) {
    this.parts = parts; // text, stage, count, back, next, play
    this.at = 0;
    this.timer = null;
    parts.back.addEventListener("click", () => (this.stop(), this.go(this.at - 1)));
    parts.next.addEventListener("click", () => (this.stop(), this.go(this.at + 1)));
    parts.play.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
  }

  /** Show an explanation from its first step, or from where an earlier one was. */
  show(explanation, model) {
    this.explanation = explanation;
    this.model = model;
    this.codes = explanation.candidate.codes ?? [];
    this.scenes = ["encoder", ...this.codes.map((_, place) => place), "words", "text"];
    this.go(Math.min(this.at, this.scenes.length - 1));
  }

  play() {
    if (this.at >= this.scenes.length - 1) this.go(0);
    this.parts.play.textContent = "Pause";
    this.timer = setInterval(() => (this.at < this.scenes.length - 1 ? this.go(this.at + 1) : this.stop()), 1400);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.parts.play.textContent = "Play";
  }

  go(at) {
    if (!this.scenes || at < 0 || at >= this.scenes.length) return;
    this.at = at;
    const scene = this.scenes[at];
    const { text, stage, count, back, next } = this.parts;
    count.textContent = `Step ${at + 1} of ${this.scenes.length}`;
    back.disabled = at === 0;
    next.disabled = at === this.scenes.length - 1;
    text.replaceChildren(...this.words(scene));
    const known = scene === "encoder" ? 0 : typeof scene === "number" ? scene + 1 : this.codes.length;
    stage.replaceChildren(
      this.source(),
      ...(known ? [this.steps(known, scene)] : []),
      ...(scene === "words" || scene === "text" ? [this.writing(scene === "text")] : []),
      ...(scene === "text" ? [this.result()] : []),
    );
  }

  words(scene) {
    const codes = this.codes.length;
    const pieces = this.explanation.source.length;
    const per = this.model.words_per_code;
    if (scene === "encoder")
      return [el("b", {}, "Encoder. "), `All ${pieces} pieces of the sentence are read at once; each becomes a vector that knows of all others.`];
    if (typeof scene === "number")
      return [
        el("b", {}, `Code ${scene + 1} of ${codes}. `),
        scene === 0
          ? `The predictor looks at the source and chooses one of ${this.model.codebook} codes. This is the only part that goes step by step.`
          : "It looks at the source and at the codes before, and chooses the next one.",
        this.unlikely(scene),
        scene === codes - 1 ? ` Then it ends: ${codes} ${codes === 1 ? "step" : "steps"} for the whole sentence.` : "",
      ];
    if (scene === "words")
      return [el("b", {}, "Words. "), `Each code is unfolded into ${per} target positions${this.model.output_layer === "plain" ? "" : `, and these into more (${this.model.output_layer.toUpperCase()})`}, and the decoder fills all of them in one pass. No word waits for another.`];
    const lost = this.explanation.candidate.alignment.positions.some((position) => !position.kept);
    const why = { plain: "what comes after the end", ctc: "repeats and blanks", dag: "what is off the path" }[this.model.output_layer];
    return [el("b", {}, "Text. "), lost ? `What is struck out does not count: ${why}. The rest is joined.` : "The pieces are joined."];
  }

  /** What to say of a code that is not the likeliest one. */
  unlikely(place) {
    const likeliest = this.explanation.steps[place]?.[0]?.code ?? this.codes[place];
    if (likeliest === this.codes[place]) return "";
    return ` By itself it would choose ${likeliest}; ${this.codes[place]} was chosen by the beam, or by you.`;
  }

  source() {
    const pieces = this.explanation.source.map((piece) =>
      el("li", { class: "piece" }, readable(piece), el("div", { class: "vector", "aria-hidden": "true" }, el("i"), el("i"), el("i"))),
    );
    return el("div", {}, el("h3", {}, "Source, as pieces and vectors"), el("ol", { class: "pieces" }, ...pieces));
  }

  steps(known, scene) {
    const steps = this.codes.slice(0, known).map((code, place) => {
      const choices = this.explanation.steps[place] ?? [];
      const list = choices.map((choice) =>
        el("li", { class: choice.code === code ? "taken" : "", title: choice.often.join(", ") }, String(choice.code), share(choice.probability, place)),
      );
      return el(
        "li",
        { class: `step${place === scene ? " now" : ""}`, vars: { hue: hue(place) } },
        el("b", {}, String(code)),
        typeof scene === "number" ? el("ol", { "aria-label": "Likely codes" }, ...list) : null,
      );
    });
    return el("div", {}, el("h3", {}, "Codes, one after another"), el("ol", { class: `steps${typeof scene === "number" ? "" : " done"}` }, ...steps));
  }

  writing(final) {
    const blocks = this.codes.map((code, place) => {
      const positions = this.explanation.candidate.alignment.positions.filter((position) => position.code === place);
      const pieces = positions.map((position) =>
        el("span", { class: `piece${final && !position.kept ? " lost" : ""}` }, readable(position.piece)),
      );
      return el("li", { class: "block", vars: { hue: hue(place) } }, el("b", {}, String(code)), el("div", {}, ...pieces));
    });
    return el("div", {}, el("h3", {}, "Positions, all at once"), el("ol", { class: "writing" }, ...blocks));
  }

  result() {
    return el("p", { class: "sentence", lang: this.model.target_lang }, this.explanation.candidate.text);
  }
}
