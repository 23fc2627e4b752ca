/** Lines of a log, with the values that are metrics marked. */
import type { ComponentChildren } from "preact";
import type { AlmostFound, FoundPoint } from "../api";
import { plainOutput, visible } from "../format";

interface Props {
  lines: string[];
  /** The number of the first line. */
  first: number;
  points: FoundPoint[];
  near?: AlmostFound[];
}

export function LogLines({ lines, first, points, near = [] }: Props) {
  const byLine = Map.groupBy(points, (one) => one.line);
  const nearByLine = Map.groupBy(near, (one) => one.line);
  return (
    <>
      {lines.map((line, index) => {
        const hits = byLine.get(index + 1) ?? [];
        const misses = nearByLine.get(index + 1) ?? [];
        return (
          <div key={first + index} {...(hits.length ? { "data-hit": "" } : {})} {...(misses.length ? { "data-near": "" } : {})}>
            <span>{first + index}</span>
            <pre>{marked(visible(plainOutput(line)), hits)}</pre>
            {misses.map((one) => <p key={one.metric} class="why">{`${one.metric}: ${one.why}`}</p>)}
          </div>
        );
      })}
    </>
  );
}

/** Marks each value once, in the order in which the values were found. */
function marked(line: string, hits: FoundPoint[]): ComponentChildren {
  const parts: ComponentChildren[] = [];
  let from = 0;
  for (const hit of hits) {
    const name = line.indexOf(hit.name, from);
    const at = line.indexOf(hit.value, name < 0 ? from : name + hit.name.length);
    if (at < 0 || !hit.value) continue;
    parts.push(line.slice(from, at), <mark key={at} title={`${hit.name} = ${hit.value}`}>{hit.value}</mark>);
    from = at + hit.value.length;
  }
  return parts.length ? [...parts, line.slice(from)] : line;
}
