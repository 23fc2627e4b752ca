/** One trial: what it was given, what it measures now, and what it prints. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Curve, FormatTrial, LivePoints, LogText, TrialPage } from "../api";
import { LogLines } from "../components/log_lines";
import { Card, Pill, Twin, useNow } from "../components/parts";
import { Plot } from "../components/plot";
import { ApiError, get, post } from "../client";
import { duration, moment, short, visible } from "../format";
import { appended, type LiveExperiment } from "../live";
import { axis, padded, valueAxis } from "../plots/style";
import { to } from "../route";
import { TEXTS } from "../texts";
import { lineColour } from "../theme";
import { ENDED } from "../trials";

export function TrialPageView({ live, name }: { live: LiveExperiment; name: string }) {
  const path = `${live.path}/trials/${encodeURIComponent(name)}`;
  const row = live.trials.value.rows.find((one) => one.name === name);
  const [page, setPage] = useState<TrialPage | null>(null);
  const [error, setError] = useState("");
  const best = live.page.value?.row.best_trial ?? "";
  useEffect(() => {
    const stop = new AbortController();
    get<TrialPage>(path, stop.signal).then(
      (found) => { setPage(found); setError(""); },
      (problem) => { if (problem instanceof ApiError) setError(problem.message); },
    );
    return () => stop.abort();
  }, [path, row?.state, best]);
  if (error) return <p class="notice bad" role="alert">{error}</p>;
  return page ? <Body live={live} page={page} path={path} state={row?.state ?? page.state} /> : null;
}

function Body({ live, page, path, state }: { live: LiveExperiment; page: TrialPage; path: string; state: string }) {
  const now = useNow();
  const isOver = ENDED.has(state);
  const seconds = isOver || !page.start ? page.seconds : (now - Date.parse(page.start)) / 1000;
  const curves = useTrialCurves(live, path, page.name, state);
  const newest = curves.find((one) => one.metric === page.objective)?.value.findLast((value) => value !== null);
  const neighbour = (name: string, text: string) =>
    name ? <a class="button" href={to(["e", live.namespace, live.name, "trial", name])}>{text}</a> : <button type="button" class="button" disabled>{text}</button>;
  return (
    <>
      <div class="head">
        <div class="line">
          <h1>{page.name}</h1><Pill state={state} />{page.is_best ? <span class="pill" style={{ color: "var(--best)", background: "var(--bad-ground)" }}>★ best trial</span> : null}
          <div class="space" />
          {neighbour(page.previous, "‹ Before")}{neighbour(page.next, "Next ›")}
        </div>
        <p class="soft">{`Trial ${page.number} of ${live.name}`}</p>
      </div>
      {page.cause ? <p class="notice bad">{visible(page.cause)}</p> : page.note ? <p class="notice">{visible(page.note)}</p> : null}
      <dl class="facts">
        <div><dt>{page.objective}</dt><dd>{short(isOver ? page.value : (newest ?? page.value))}<small>{page.is_best || page.best_value === null ? `${page.goal_type}` : `best: ${short(page.best_value)}`}</small></dd></div>
        <div><dt>{isOver ? "Ran for" : "Running for"}</dt><dd>{duration(seconds)}<small>{page.start ? moment(page.start) : "not started"}</small></dd></div>
        {page.metrics.slice(1).map((one) => (
          <div key={one.name}><dt>{one.name}</dt><dd>{isOver ? short(one.value ? Number(one.value) : null) : short(curves.find((each) => each.metric === one.name)?.value.findLast((value) => value !== null) ?? null)}{one.best && !page.is_best ? <small>{`in the best trial: ${short(Number(one.best))}`}</small> : null}</dd></div>
        ))}
      </dl>
      <div class="stack">
        <div class="aside">
          <Metrics curves={curves} />
          <div class="stack">
            <Card title="Parameters">
              <dl class="pairs">
                {page.assignments.map((one) => [
                  <dt key={one.name}>{one.name}</dt>,
                  <dd key={`${one.name} value`} class="number">{visible(one.value)}{one.best && one.best !== one.value ? <span class="differs" style={{ display: "block", fontSize: "12px" }}>{`best: ${visible(one.best)}`}</span> : null}</dd>,
                ])}
              </dl>
            </Card>
            <Card title="What happened">
              <ol class="steps">
                {page.events.map((one) => (
                  <li key={one.type} {...(one.is_true ? { "data-true": "" } : {})}>
                    <div>{one.type}<small>{moment(one.time)}</small>{one.message ? <small>{visible(one.message)}</small> : null}</div>
                  </li>
                ))}
              </ol>
            </Card>
          </div>
        </div>
        <Log path={path} page={page} isOver={isOver} live={live} />
      </div>
    </>
  );
}

function Metrics({ curves }: { curves: Curve[] }) {
  const [isTime, setTime] = useState(false);
  const groups = curves.filter((one) => one.count);
  const tools = (
    <label class="faint" style={{ display: "inline-flex", gap: "7px", alignItems: "center", fontSize: "13px" }}>
      <input type="checkbox" checked={isTime} onChange={(event) => setTime(event.currentTarget.checked)} />across time
    </label>
  );
  const plot = groups.length ? (
    <div class="stack">
      {groups.map((one, index) => <OneCurve key={one.metric} curve={one} index={index} isTime={isTime} />)}
    </div>
  ) : <p class="empty">{TEXTS.noPoints}</p>;
  return (
    <Twin title="Metrics" tools={tools} plot={plot} head={["metric", "point", "seconds", "value"]} rows={() => groups.flatMap((one) => one.value.map((value, at) => [one.metric, one.index[at] as number, short(one.seconds[at]), short(value)]))} />
  );
}

function OneCurve({ curve, index, isTime }: { curve: Curve; index: number; isTime: boolean }) {
  const data = useMemo((): uPlot.AlignedData => [isTime ? curve.seconds : curve.index, curve.value], [curve, isTime]);
  return (
    <figure>
      <figcaption style={{ fontSize: "12px", fontWeight: 550 }}>{curve.metric} <span class="faint number">{`· ${curve.count.toLocaleString("en")} points`}</span></figcaption>
      <Plot
        height={200}
        label={`${curve.metric}, ${curve.count} points`}
        data={data}
        version={`${curve.metric}|${isTime}|${curve.count < 40}`}
        options={() => ({
          padding: [8, 12, 0, 0],
          cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
          scales: { x: { time: false, range: (_, low, high) => (low === high ? [low - 1, high + 1] : [low, high]) }, y: { range: (_, low, high) => padded(low, high) } },
          axes: [axis(isTime ? { label: "seconds since the first point" } : { label: "point" }), valueAxis()],
          series: [{}, { label: curve.metric, stroke: lineColour(index), width: 2, points: { show: curve.count < 40, size: 5, fill: lineColour(index) } }],
        })}
        tip={(_, at) => ({ title: curve.metric, rows: [["point", String(curve.index[at])], ["seconds", short(curve.seconds[at])], ["value", short(curve.value[at])]] })}
      />
    </figure>
  );
}

function useTrialCurves(live: LiveExperiment, path: string, trial: string, state: string): Curve[] {
  const [curves, setCurves] = useState<Curve[]>([]);
  const [again, setAgain] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    get<Curve[]>(`${path}/curves?buckets=400`, stop.signal).then(setCurves, () => undefined);
    return () => stop.abort();
  }, [path, again, ENDED.has(state)]);
  useEffect(() => {
    live.onPoints = (points: LivePoints[] | null) => {
      if (points === null) return setAgain((count) => count + 1);
      setCurves((known) => {
        const now = [...known];
        for (const one of points.filter((each) => each.trial === trial)) {
          const place = now.findIndex((curve) => curve.metric === one.metric);
          const before = now[place] ?? { trial, metric: one.metric, count: 0, start: null, index: [], seconds: [], step: [], value: [] };
          const after = appended(before, one);
          if (after === null) setTimeout(() => setAgain((count) => count + 1), 200);
          else if (place < 0) now.push(after);
          else now[place] = after;
        }
        return now;
      });
    };
    return () => {
      live.onPoints = null;
    };
  }, [live, trial]);
  return curves;
}

const LOOK = 1000;
const MOST_LINES = 3000;

interface Output {
  lines: string[];
  first: number;
  isTail: boolean;
}

function Log({ path, page, isOver, live }: { path: string; page: TrialPage; isOver: boolean; live: LiveExperiment }) {
  const [output, setOutput] = useState<Output>({ lines: [], first: 1, isTail: false });
  const [error, setError] = useState("");
  const [found, setFound] = useState<FormatTrial | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    const stop = new AbortController();
    let place = "";
    let rest = "";
    let timer = 0;
    const read = async (): Promise<void> => {
      try {
        const piece = await get<LogText>(`${path}/log?${new URLSearchParams({ place })}`, stop.signal);
        const isFirst = place === "";
        place = piece.place;
        setError("");
        if (piece.text || isFirst) {
          const lines = (rest + piece.text).split("\n");
          rest = lines.pop() ?? "";
          if (isFirst && piece.is_tail) lines.shift();
          setOutput((known) => joined(isFirst ? { lines: [], first: 1, isTail: piece.is_tail } : known, lines));
        }
        if (piece.more) return void (await read());
        // The last line of an ended trainer may have no end; a progress bar has none for long.
        if (isOver && rest) {
          const line = rest;
          rest = "";
          setOutput((known) => joined(known, [line]));
        }
      } catch (problem) {
        if (stop.signal.aborted) return;
        if (problem instanceof ApiError) setError(problem.message);
      }
      if (!isOver && !stop.signal.aborted) timer = setTimeout(() => void read(), LOOK) as unknown as number;
    };
    void read();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, isOver]);
  useEffect(() => {
    if (!output.lines.length) return;
    const stop = new AbortController();
    const wish = { text: `${output.lines.join("\n")}\n`, metrics: page.metrics.map((one) => one.name), format: page.log_format, patterns: page.patterns };
    post<FormatTrial>("/metrics-format", wish, stop.signal).then(setFound, () => undefined);
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
    return () => stop.abort();
  }, [output]);
  const tools = (
    <div class="tools">
      {found ? <span class="faint" style={{ fontSize: "12px" }}>{`${found.points.length.toLocaleString("en")} values of metrics in these lines`}</span> : null}
      <a class="button" href={to(["format"], { from: `${live.namespace}/${live.name}/${page.name}` })}>{TEXTS.tryFormat}</a>
    </div>
  );
  return (
    <Card title="Output of the trainer" tools={tools} flush>
      {error ? <div class="inside"><p class="faint">{error}</p></div> : (
        <div class="log" ref={box} tabIndex={0} role="log" aria-label="Output of the trainer" style={{ marginTop: "12px" }} onScroll={(event) => {
          const element = event.currentTarget;
          follows.current = element.scrollTop + element.clientHeight >= element.scrollHeight - 30;
        }}>
          {output.isTail ? <div><span>…</span><pre class="faint">older output is left out</pre></div> : null}
          <LogLines lines={output.lines} first={output.first} points={found?.points ?? []} />
        </div>
      )}
    </Card>
  );
}

function joined(known: Output, lines: string[]): Output {
  const all = [...known.lines, ...lines];
  const over = Math.max(all.length - MOST_LINES, 0);
  return { lines: all.slice(over), first: known.first + over, isTail: known.isTail || over > 0 };
}
