// The product's clock: what the server last said, carried on at its speed. Ages are counted by it, never by this
// machine's own clock, so that a demo season and a wrong wall clock both show what is true.

let base = { now: Date.now(), at: performance.now(), speed: 1, wall: true, knownUpTo: null };
const listeners = new Set();

export function setClock(asOf) {
  base = {
    now: Date.parse(asOf.now),
    at: performance.now(),
    speed: asOf.speed,
    wall: asOf.wall,
    knownUpTo: asOf.known_up_to === null ? null : Date.parse(asOf.known_up_to),
  };
  tell();
}

export const now = () => base.now + (performance.now() - base.at) * base.speed;
export const isWall = () => base.wall;
export const speed = () => base.speed;
export const knownUpTo = () => base.knownUpTo;
// Real seconds between the clock and what is known, as they were when the server last spoke, and since then. A clock that
// has come to its end has no speed.
export const secondsBehind = () => (base.knownUpTo === null ? null : Math.max(0, (now() - base.knownUpTo) / (base.speed || 1) / 1000));

export function onTick(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell() {
  for (const listener of listeners) listener();
}

setInterval(tell, 1000);
