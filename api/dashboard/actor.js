// Who is at this desk: kept in the browser and sent with every command, as it will stand in the log.

import { useEffect, useState } from "./html.js";

const KEPT = "tracker.actor";
const NOBODY = "staff";
const listeners = new Set();

// A header carries no other characters; see `valid`.
const SENDABLE = /^[\x20-\x7e]{1,128}$/;

export const valid = (name) => name === "" || SENDABLE.test(name);
export const chosen = () => localStorage.getItem(KEPT) ?? "";
export const actor = () => chosen() || NOBODY;

export function setActor(name) {
  if (!valid(name.trim())) return false;
  localStorage.setItem(KEPT, name.trim());
  for (const listener of listeners) listener();
  return true;
}

export function useActor() {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw((n) => n + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return chosen();
}
