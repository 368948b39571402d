// Light, dark, or as the system has it.

const KEPT = "tracker.theme";
export const THEMES = ["auto", "light", "dark"];

export const theme = () => (THEMES.includes(localStorage.getItem(KEPT)) ? localStorage.getItem(KEPT) : "auto");

export function setTheme(wanted) {
  localStorage.setItem(KEPT, wanted);
  apply();
}

export function apply() {
  if (theme() === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme();
}
