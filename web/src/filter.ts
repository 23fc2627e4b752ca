/**
 * The filter language: `lr > 0.01 AND (state = succeeded OR name ~ "abc")`.
 *
 *   word                   the name contains it
 *   FIELD OP VALUE         OP is = != < <= > >= or ~ (contains)
 *   NOT x, x AND y, x OR y, parentheses; AND binds closer
 *
 * Names and values with other characters than letters, digits and . _ - / are in double quotes.
 */
export type Value = number | string | null;
export type Lookup = (field: string) => Value | undefined;
export type Predicate = (lookup: Lookup) => boolean;

export class FilterError extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

interface Token {
  kind: "word" | "text" | "op" | "open" | "close" | "end";
  text: string;
  at: number;
}

const TOKEN = /\s*(?:(<=|>=|!=|==|=|<|>|~)|(\()|(\))|"((?:[^"\\]|\\.)*)"|([^\s()=<>!~"]+))/y;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim()) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) {
      const at = start + (text.slice(start).search(/\S/));
      throw new FilterError(`${text[at] === '"' ? "the quotation mark is not closed" : `"${text[at]}" is not understood here`}`, at);
    }
    const at = start + (match[0].length - match[0].trimStart().length);
    if (match[1]) found.push({ kind: "op", text: match[1] === "==" ? "=" : match[1], at });
    else if (match[2]) found.push({ kind: "open", text: "(", at });
    else if (match[3]) found.push({ kind: "close", text: ")", at });
    else if (match[4] !== undefined) found.push({ kind: "text", text: match[4].replace(/\\(.)/g, "$1"), at });
    else found.push({ kind: "word", text: match[5] as string, at });
  }
  found.push({ kind: "end", text: "", at: text.length });
  return found;
}

/** Reads a filter; `fields` are the known names. */
export function parseFilter(text: string, fields: readonly string[]): Predicate {
  const list = tokens(text);
  let next = 0;
  const peek = (): Token => list[next] as Token;
  const take = (): Token => list[next++] as Token;
  const isWord = (word: string): boolean => peek().kind === "word" && peek().text.toUpperCase() === word;

  function either(): Predicate {
    let left = both();
    while (isWord("OR")) {
      take();
      const [first, second] = [left, both()];
      left = (lookup) => first(lookup) || second(lookup);
    }
    return left;
  }
  function both(): Predicate {
    let left = not();
    while (isWord("AND") || ["word", "text", "open"].includes(peek().kind) && !isWord("OR")) {
      if (isWord("AND")) take();
      const [first, second] = [left, not()];
      left = (lookup) => first(lookup) && second(lookup);
    }
    return left;
  }
  function not(): Predicate {
    if (!isWord("NOT")) return single();
    take();
    const inner = not();
    return (lookup) => !inner(lookup);
  }
  function single(): Predicate {
    const token = take();
    if (token.kind === "open") {
      const inner = either();
      if (take().kind !== "close") throw new FilterError("a parenthesis is not closed", token.at);
      return inner;
    }
    if (token.kind !== "word" && token.kind !== "text") {
      throw new FilterError(token.kind === "end" ? "a condition is missing at the end" : `"${token.text}" has no name before it`, token.at);
    }
    if (peek().kind !== "op") return contains("name", token.text);
    const op = take().text;
    const value = take();
    if (value.kind !== "word" && value.kind !== "text") {
      throw new FilterError(`a value is missing after ${token.text} ${op}`, value.at);
    }
    const field = fields.find((one) => one === token.text) ?? fields.find((one) => one.toLowerCase() === token.text.toLowerCase());
    if (field === undefined) throw new FilterError(`there is no column ${token.text}`, token.at);
    return op === "~" ? contains(field, value.text) : compare(field, op, value.text);
  }

  if (peek().kind === "end") return () => true;
  const whole = either();
  if (peek().kind !== "end") throw new FilterError(`"${peek().text}" is not expected here`, peek().at);
  return whole;
}

function contains(field: string, text: string): Predicate {
  const small = text.toLowerCase();
  return (lookup) => String(lookup(field) ?? "").toLowerCase().includes(small);
}

function compare(field: string, op: string, text: string): Predicate {
  const number = text.trim() === "" ? NaN : Number(text);
  return (lookup) => {
    const value = lookup(field);
    if (value === null || value === undefined) return op === "!=";
    const isNumber = typeof value === "number" && !Number.isNaN(number);
    const order = isNumber ? value - number : String(value).localeCompare(text);
    const same = isNumber ? value === number : String(value).toLowerCase() === text.toLowerCase();
    if (op === "=") return same;
    if (op === "!=") return !same;
    if (typeof value === "number" && Number.isNaN(number)) return false;
    if (op === "<") return order < 0;
    if (op === "<=") return order <= 0;
    return op === ">" ? order > 0 : order >= 0;
  };
}

/** Writes a name or a value so that the filter reads it back. */
export function quoted(text: string): string {
  const plain = /^[^\s()=<>!~"]+$/.test(text) && !["AND", "OR", "NOT"].includes(text.toUpperCase());
  return plain ? text : `"${text.replace(/(["\\])/g, "\\$1")}"`;
}

/** A lookup without any value. */
export const lookupOfNothing: Lookup = () => null;
