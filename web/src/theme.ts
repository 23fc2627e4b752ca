/** Light or dark: what the system prefers, or what the user has chosen. */
import { computed, signal } from "@preact/signals";

export type Choice = "system" | "light" | "dark";
const STORED = "trialwatch-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", (event) => {
  systemIsDark.value = event.matches;
});

export const choice = signal<Choice>((localStorage.getItem(STORED) as Choice | null) ?? "system");
export const isDark = computed(() =>
  choice.value === "system" ? systemIsDark.value : choice.value === "dark",
);

export function choose(theme: Choice): void {
  choice.value = theme;
  localStorage.setItem(STORED, theme);
}

/** Returns a colour of the style sheet, for a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Colours of lines that stay apart for colour-blind readers: Okabe and Ito's, of even weight. */
const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#b3598f", "#8a6d00", "#3d9bd1", "#7a5195", "#5b5b5b"];
const DARK = ["#56b4e9", "#ff9e4a", "#2fc79a", "#e38fc0", "#e6c229", "#9ad0f5", "#b79be0", "#bdbdbd"];

export function lineColour(index: number): string {
  const colours = isDark.value ? DARK : LIGHT;
  return colours[index % colours.length] as string;
}

/** Cividis, which reads the same for colour-blind readers: from 0 to 1. */
const SCALE: [number, number, number][] = [
  [0, 32, 81], [27, 58, 109], [74, 84, 112], [107, 110, 114], [138, 137, 120],
  [172, 165, 114], [208, 194, 96], [253, 234, 69],
];

export function scale(part: number, alpha = 1): string {
  const clamped = Math.min(Math.max(part, 0), 1);
  // What counts most must stand out: it is light on a dark ground, and dark on a light ground.
  const at = (isDark.value ? 0.25 + 0.75 * clamped : 0.9 * (1 - clamped)) * (SCALE.length - 1);
  const low = Math.floor(at);
  const from = SCALE[low] as [number, number, number];
  const until = SCALE[Math.min(low + 1, SCALE.length - 1)] as [number, number, number];
  const mixed = from.map((one, index) => Math.round(one + ((until[index] as number) - one) * (at - low)));
  return `rgba(${mixed.join(",")},${alpha})`;
}
