/** Try a metricsFormat: paste a log, and see at once what would be collected from it. */
import { useEffect, useState } from "preact/hooks";
import type { FormatTrial, LogText, TrialPage } from "../api";
import { LogLines } from "../components/log_lines";
import { Card } from "../components/parts";
import { Shell } from "../components/shell";
import { ApiError, get, post } from "../client";
import { set, setting } from "../route";
import { TEXTS } from "../texts";

const WAIT = 200;
const SHOWN = 1500;
const EXAMPLE = "epoch 1: loss=0.6931 accuracy=0.5120\nepoch 2: loss=0.4012 accuracy=0.8034\nWARNING: learning rate is high\nepoch 3: loss=0.3120 acc=0.8611\n";

export function Format() {
  const [text, setText] = useState(setting("from") ? "" : EXAMPLE);
  const [metrics, setMetrics] = useState(setting("metrics", "loss; accuracy"));
  const [patterns, setPatterns] = useState("");
  const [isJson, setJson] = useState(false);
  const [found, setFound] = useState<FormatTrial | null>(null);
  const [error, setError] = useState("");
  const [isCopied, setCopied] = useState(false);
  const from = setting("from");
  useEffect(() => {
    if (!from) return;
    const [namespace = "", experiment = "", trial = ""] = from.split("/");
    const path = `/experiments/${encodeURIComponent(namespace)}/${encodeURIComponent(experiment)}/trials/${encodeURIComponent(trial)}`;
    Promise.all([get<LogText>(`${path}/log`), get<TrialPage>(path)]).then(
      ([log, page]) => {
        setText(log.text);
        setMetrics(page.metrics.map((one) => one.name).join("; "));
        setPatterns(page.patterns.join("\n"));
        setJson(page.log_format === "JSON");
      },
      (problem) => setError(problem instanceof ApiError ? problem.message : String(problem)),
    );
  }, [from]);
  const wish = { text, metrics: split(metrics, ";"), format: isJson ? "JSON" : "TEXT", patterns: isJson ? [] : split(patterns, "\n") };
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      post<FormatTrial>("/metrics-format", wish, stop.signal).then(
        (result) => { setFound(result); setError(""); },
        (problem) => { if (problem instanceof ApiError) setError(problem.message); },
      );
    }, WAIT);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text, metrics, patterns, isJson]);
  const read = async (file: File | undefined): Promise<void> => {
    if (file) setText(await file.slice(0, 1 << 20).text());
  };
  const lines = text.replace(/\r\n?/g, "\n").split("\n").slice(0, SHOWN);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(snippet(wish.patterns, isJson));
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <Shell crumbs={[{ text: TEXTS.tryFormat }]}>
      <div class="head">
        <h1>{TEXTS.tryFormat}</h1>
        <p class="soft">{from ? `With the last output of trial ${from.split("/")[2]}.` : "Paste what your program prints, or drop a file. What would be collected is marked at once, by the same code that collects it in a trial."}</p>
      </div>
      <div class="two">
        <div class="stack">
          <Card title="How metrics are found">
            <div class="stack" style={{ gap: "14px" }}>
              <label class="stack" style={{ gap: "5px" }}>
                <span class="soft">Names of the metrics, with semicolons between</span>
                <input class="field mono" value={metrics} spellcheck={false} onInput={(event) => { setMetrics(event.currentTarget.value); set({ metrics: event.currentTarget.value }); }} />
              </label>
              <label class="stack" style={{ gap: "5px" }}>
                <span class="soft">metricsFormat, a regex each line; empty: by the names alone</span>
                <textarea class="field" rows={2} value={patterns} disabled={isJson} spellcheck={false} placeholder="([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)" onInput={(event) => setPatterns(event.currentTarget.value)} />
              </label>
              <div class="tools">
                <label><input type="checkbox" checked={isJson} onChange={(event) => setJson(event.currentTarget.checked)} />One JSON object a line</label>
                <div class="grow" />
                <button type="button" class="button" disabled={!wish.patterns.length && !isJson} onClick={() => void copy()}>{isCopied ? "Copied" : "Copy for the Experiment"}</button>
              </div>
            </div>
          </Card>
          <Card title="Output of your program" tools={<label class="button">Open a file<input type="file" class="hidden" onChange={(event) => void read(event.currentTarget.files?.[0])} /></label>}>
            <textarea
              class="field" rows={14} value={text} spellcheck={false} aria-label="Output of your program"
              onInput={(event) => setText(event.currentTarget.value)}
              onDragOver={(event) => event.preventDefault()}
              onDrop={(event) => { event.preventDefault(); void read(event.dataTransfer?.files[0]); }}
            />
          </Card>
        </div>
        <Card title="What would be collected" flush>
          <div class="inside stack" style={{ gap: "10px" }}>
            {error ? <p class="notice bad" role="alert">{error}</p> : null}
            {found ? (
              <ul class="chips" aria-live="polite">
                {found.counts.map((one) => <li key={one.name} class="pill" data-state={one.points ? "succeeded" : "failed"}>{`${one.name}: ${one.points ? `${one.points.toLocaleString("en")} value${one.points === 1 ? "" : "s"}` : "nothing"}`}</li>)}
                <li class="pill">{`${found.lines.toLocaleString("en")} lines, by ${found.how}`}</li>
              </ul>
            ) : null}
            {found?.notices.map((one) => <p key={one} class="notice">{one}</p>)}
            {found?.is_cut ? <p class="notice">Only the first MiB, or the first 5,000 values, are shown.</p> : null}
          </div>
          <div class="log" tabIndex={0} role="region" aria-label="Lines with their values" style={{ maxHeight: "620px" }}>
            <LogLines lines={lines} first={1} points={found?.points ?? []} near={found?.near_misses ?? []} />
          </div>
        </Card>
      </div>
    </Shell>
  );
}

function split(text: string, by: string): string[] {
  return text.split(by).map((one) => one.trim()).filter(Boolean);
}

/** Returns the part of an Experiment that has these patterns. */
export function snippet(patterns: string[], isJson: boolean): string {
  if (isJson) return "metricsCollectorSpec:\n  source:\n    fileSystemPath:\n      kind: File\n      path: /var/log/metrics.json\n      format: JSON\n  collector:\n    kind: File\n";
  const list = patterns.map((one) => `        - '${one.replaceAll("'", "''")}'\n`).join("");
  return `metricsCollectorSpec:\n  source:\n    filter:\n      metricsFormat:\n${list}  collector:\n    kind: StdOut\n`;
}
