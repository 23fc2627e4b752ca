/** Numbers, durations and times as text. */

/** Writes a number in as few characters as keep its six digits apart from its neighbours. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return trim(value.toExponential(3));
  return trim(size >= 1000 ? value.toFixed(1) : value.toPrecision(5));
}

export function cell(value: number | string | null | undefined): string {
  if (value === null || value === undefined) return "";
  return typeof value === "number" ? short(value) : value;
}

function trim(text: string): string {
  const [digits = "", exponent] = text.split("e");
  const plain = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
  return exponent === undefined ? plain : `${plain}e${exponent.replace("+", "")}`;
}

export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} m ${two(whole % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${two(minutes % 60)} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

export function age(stamp: string, now: number): string {
  const then = Date.parse(stamp);
  if (Number.isNaN(then)) return "–";
  const seconds = Math.max(0, (now - then) / 1000);
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export function moment(stamp: string): string {
  const then = Date.parse(stamp);
  return Number.isNaN(then) ? stamp : MOMENT.format(then);
}

export function counted(number: number, thing: string): string {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}

/** Shows control characters and marks of direction as symbols, so that a text cannot hide any. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (mark) =>
    mark < " " ? String.fromCharCode(0x2400 + mark.charCodeAt(0)) : "\ufffd",
  );
}

const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** Removes the colours and movements of a terminal from output. */
export function plainOutput(text: string): string {
  return text.replace(ESCAPES, "");
}
