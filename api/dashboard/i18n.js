// Words: small catalogues, one a language. A key that is missing shows itself, so that a test can see it.

import { useEffect, useState } from "./html.js";

export const LANGUAGES = { en: "English", zh: "简体中文" };
const KEPT = "tracker.language";
const listeners = new Set();
let language = "en";
let words = {};

export const current = () => language;
export const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

export async function choose(wanted) {
  const response = await fetch(`locales/${wanted}.json`);
  words = await response.json();
  language = wanted;
  document.documentElement.lang = locale();
  document.title = t("title");
  localStorage.setItem(KEPT, wanted);
  for (const listener of listeners) listener();
}

export function preferred() {
  const kept = localStorage.getItem(KEPT);
  if (kept in LANGUAGES) return kept;
  return navigator.languages.some((one) => one.toLowerCase().startsWith("zh")) ? "zh" : "en";
}

export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// Falls back to the server's own words where the catalogue has none.
export const told = (key, otherwise) => words[key] ?? otherwise;

export function useLanguage() {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw((n) => n + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return language;
}
