// The API as openapi.json describes it, with requests to try.
import { el } from "/page/views.js";

const EXAMPLES = {
  "/translate": { text: ["The old woman wanted to buy three books."], beam: 4, n_best: 2, scores: true, codes: true },
  "/codes": { text: "The old woman wanted to buy three books.", codes: [0, 1, 2], place: 0, count: 3 },
  "/explain": { text: "The old woman wanted to buy three books." },
  "/compare": { text: "The old woman wanted to buy three books." },
};

const named = (schema) => schema?.$ref?.split("/").pop();

/** A schema in a few words. */
function kind(schema) {
  if (!schema) return "";
  if (schema.$ref) return named(schema);
  if (schema.anyOf) return schema.anyOf.map(kind).filter((one) => one !== "null").join(" or ");
  if (schema.type === "array") return `list of ${kind(schema.items)}`;
  return schema.type ?? "";
}

function table(schema, title) {
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) =>
    el(
      "tr", {},
      el("td", {}, el("code", {}, name)),
      el("td", {}, kind(field)),
      el("td", {}, field.description ?? "", schema.required?.includes(name) ? "" : field.default != null ? ` Default: ${JSON.stringify(field.default)}.` : ""),
    ),
  );
  if (!rows.length) return null;
  return el("table", {}, el("thead", {}, el("tr", {}, ...[title, "type", "meaning"].map((text) => el("th", { scope: "col" }, text)))), el("tbody", {}, ...rows));
}

/** A textarea with a request, a button, and its answer. */
function tryIt(path, method, id) {
  const answer = el("pre", { tabindex: "0", role: "region", "aria-label": `Answer of ${path}`, hidden: true });
  const body = path in EXAMPLES ? el("textarea", { id, rows: 3, spellcheck: "false" }) : null;
  if (body) body.value = JSON.stringify(EXAMPLES[path]);
  const send = async () => {
    answer.hidden = false;
    answer.textContent = "…";
    try {
      const options = { method, headers: body ? { "Content-Type": "application/json" } : {}, body: body?.value };
      const response = await fetch(path, options);
      const text = await response.text();
      const json = response.headers.get("content-type")?.includes("json");
      answer.textContent = `${response.status}\n${json ? JSON.stringify(JSON.parse(text), null, 1) : text}`;
    } catch (error) {
      answer.textContent = String(error);
    }
  };
  return [body ? el("label", { for: id, class: "quiet" }, "Request") : null, body, el("p", { class: "row" }, el("button", { type: "button", "aria-label": `Send to ${path}`, on: { click: send } }, "Send")), answer];
}

const api = await (await fetch("/openapi.json")).json();
const schemas = api.components.schemas;
const main = document.getElementById("api");
main.append(el("p", { class: "quiet" }, `${api.info.description} Every error is JSON with "error", for people, and "code", for programs.`));
for (const [path, methods] of Object.entries(api.paths))
  for (const [method, operation] of Object.entries(methods)) {
    const input = schemas[named(operation.requestBody?.content["application/json"].schema)];
    const output = schemas[named(operation.responses["200"].content?.["application/json"]?.schema)];
    const errors = Object.entries(operation.responses).filter(([status]) => status !== "200");
    main.append(
      el(
        "section", { class: "sheet" },
        el("h2", {}, el("span", { class: "method" }, method.toUpperCase()), el("code", {}, path)),
        el("p", {}, operation.summary ?? ""),
        input ? table(input, "request") : null,
        output ? table(output, "answer") : null,
        errors.length ? el("p", { class: "quiet" }, errors.map(([status, one]) => `${status}: ${one.description}`).join(" ")) : null,
        ...tryIt(path, method.toUpperCase(), `body-${path.slice(1)}`),
      ),
    );
  }
const rest = Object.keys(schemas).filter((name) => !/Request$|Answer$|HTTPValidationError|ValidationError/.test(name));
main.append(el("section", { class: "sheet" }, el("h2", {}, "Parts of answers"), ...rest.flatMap((name) => [el("h3", {}, name), table(schemas[name], "field")]).filter(Boolean)));
