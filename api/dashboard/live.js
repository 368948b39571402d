// The live feed: one connection for the page. It resumes by itself and says when it cannot.

import { setClock } from "./clock.js";

const STALE_AFTER = 12_000; // milliseconds without a word; the server speaks every 5 s
const state = { status: "connecting", since: Date.now(), why: null };
const listeners = { change: new Set(), status: new Set(), reset: new Set() };
let source = null;
let heard = 0;

export const status = () => state;

export function on(event, listener) {
  listeners[event].add(listener);
  return () => listeners[event].delete(listener);
}

export function connect(after) {
  source?.close();
  heard = Date.now();
  source = new EventSource(`/v1/feed?after=${encodeURIComponent(after)}`);
  source.addEventListener("change", (message) => {
    alive();
    tell("change", JSON.parse(message.data));
  });
  source.addEventListener("heartbeat", (message) => {
    setClock(JSON.parse(message.data));
    alive();
  });
  source.addEventListener("reset", () => {
    source.close();
    tell("reset");
  });
  source.onopen = alive;
  source.onerror = () => {
    turn("stale");
    // A browser gives up after an answer that is an error; a server that restarts deserves better.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => tell("reset"), 3000);
  };
}

export const connected = () => source !== null && source.readyState !== EventSource.CLOSED;

// Nothing can be read just now; whoever found out tries again.
export function lost(why) {
  state.why = why;
  turn("away");
}

function alive() {
  heard = Date.now();
  turn("live");
}

function turn(status) {
  if (state.status === status) return;
  state.status = status;
  state.since = Date.now();
  tell("status");
}

function tell(event, value) {
  for (const listener of listeners[event]) listener(value);
}

setInterval(() => {
  if (source !== null && Date.now() - heard > STALE_AFTER) turn("stale");
}, 1000);
