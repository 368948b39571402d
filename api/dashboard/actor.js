// Who is at this desk: kept in the browser and sent with every command, as it will stand in the log.

import { useEffect, useState } from "./html.js";

const KEPT = "tracker.actor";
const NOBODY = "staff";
const listeners = new Set();

const NAME = /^[^\x00-\x1f\x7f]{1,128}$/;
const PLAIN = /^[\x20-\x7e]*$/;

export const valid = (name) => name === "" || NAME.test(name);
export const chosen = () => localStorage.getItem(KEPT) ?? "";
export const actor = () => chosen() || NOBODY;

// A header carries ASCII alone: any other name is sent as RFC 8187 writes it.
export const sendable = (name) => (PLAIN.test(name) ? name : `UTF-8''${encodeURIComponent(name)}`);

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
