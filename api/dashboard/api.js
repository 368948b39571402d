// Reading the API, and telling it what staff do. A problem becomes an error that can be shown.

import { actor, sendable } from "./actor.js";
import { t, told } from "./i18n.js";

const PATIENCE = 5; // times that an answer which is not there yet is asked for again
export const AGAIN = 3000; // milliseconds until what could not be read for now is read again

export class ApiError extends Error {
  constructor(problem, status) {
    super(words(problem, status));
    this.status = status;
    this.code = problem.code ?? problem.type?.split("/").at(-1) ?? null;
    this.claim = problem.claim ?? null;
    this.paid = problem.paid ?? null;
    this.requestId = problem.request_id;
    this.passing = status === 0 || status === 429 || status >= 500;
  }
}

// A refusal is said in the reader's language, and what was wrong with a request member by member.
function words(problem, status) {
  const plain = problem.detail || problem.title || `HTTP ${status}`;
  if (problem.errors?.length) return problem.errors.map((one) => `${one.where}: ${one.why}`).join("; ");
  if (problem.code) return told(`no.${problem.code}`, plain);
  return told(`no.${problem.type?.split("/").at(-1)}`, plain);
}

const unreached = () => new ApiError({ detail: t("no.connection") }, 0);

async function answered(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(body, response.status);
  return body;
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function get(path, params = {}) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(params)) {
    for (const each of [value].flat()) {
      if (each !== undefined && each !== null && each !== "") url.searchParams.append(name, each);
    }
  }
  for (let tried = 1; ; tried += 1) {
    const response = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => {
      throw unreached();
    });
    // What was just done is on its way into the views: wait, rather than show what was before.
    if (response.status !== 503 || !params.min_position || tried > PATIENCE) return answered(response);
    await pause(1000 * (Number(response.headers.get("Retry-After")) || 1));
  }
}

// A key a command, so that pressing twice or sending again after a broken line has one effect.
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
}

export async function post(path, body = {}, key = "") {
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-Actor": sendable(actor()) };
  if (key) headers["Idempotency-Key"] = key;
  let response;
  try {
    response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw unreached();
  }
  return answered(response);
}

export const incidentPath = (id) => `/v1/incidents/${encodeURIComponent(id)}`;
export const orderPath = (id) => `/v1/orders/${encodeURIComponent(id)}`;
export const taskPath = (id) => `/v1/worklist/${encodeURIComponent(id)}`;
