// Times and spans as people read them.

import { locale, t } from "./i18n.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function span(milliseconds) {
  const whole = Math.max(0, milliseconds);
  if (whole >= 365 * DAY) return t("span.years", { n: (whole / DAY / 365.25).toFixed(1) });
  if (whole >= DAY) return t("span.days", { d: Math.floor(whole / DAY), h: Math.floor((whole % DAY) / HOUR) });
  if (whole >= HOUR) return t("span.hours", { h: Math.floor(whole / HOUR), m: Math.floor((whole % HOUR) / MINUTE) });
  if (whole >= MINUTE) return t("span.minutes", { m: Math.floor(whole / MINUTE) });
  return t("span.seconds", { s: Math.floor(whole / 1000) });
}

export function clockTime(milliseconds, reference) {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (reference === undefined || Math.abs(milliseconds - reference) > 18 * HOUR) {
    options.day = "numeric";
    options.month = "short";
  }
  if (reference !== undefined && Math.abs(milliseconds - reference) > 300 * DAY) options.year = "numeric";
  return new Intl.DateTimeFormat(locale(), options).format(milliseconds);
}

export function fullTime(text) {
  const options = { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" };
  return new Intl.DateTimeFormat(locale(), options).format(Date.parse(text));
}

export const number = (value) => new Intl.NumberFormat(locale(), { maximumFractionDigits: 2 }).format(value);
export const money = (value) => new Intl.NumberFormat(locale(), { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value);
export const share = (value) => (value === null ? "—" : new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 }).format(value));
export const hours = (value) => (value === null ? "—" : span(value * HOUR));
