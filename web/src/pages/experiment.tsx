/** One experiment: its head, and the tabs below it. */
import { useEffect, useMemo } from "preact/hooks";
import type { ExperimentPage } from "../api";
import { Bar, Card, Pill, useNow } from "../components/parts";
import { Shell } from "../components/shell";
import { counted, duration, short, visible } from "../format";
import { LiveExperiment } from "../live";
import { History } from "../plots/history";
import { Timeline } from "../plots/timeline";
import { setting, to } from "../route";
import { TEXTS } from "../texts";
import type { Trials } from "../trials";
import { CurvesTab } from "./curves";
import { ParametersTab } from "./parameters";
import { TrialPageView } from "./trial";
import { TrialsTab } from "./trials";
import { YamlTab } from "./yaml";

const TABS = [["", "Overview"], ["curves", "Curves"], ["parameters", "Parameters"], ["trials", "Trials"], ["yaml", "YAML"]] as const;

export function Experiment({ namespace, name, tab, trial }: { namespace: string; name: string; tab: string; trial: string }) {
  const live = useMemo(() => new LiveExperiment(namespace, name), [namespace, name]);
  const withPoints = tab === "curves" || trial !== "";
  useEffect(() => () => live.close(), [live]);
  useEffect(() => live.open(withPoints), [live, withPoints]);
  const page = live.page.value;
  const home = to(["e", namespace, name]);
  const crumbs = trial ? [{ text: name, href: home }, { text: trial }] : [{ text: name }];
  return (
    <Shell crumbs={[{ text: TEXTS.experiments, href: to([]) }, ...crumbs]}>
      {live.error.value ? <p class="notice bad" role="alert" style={{ marginBottom: "14px" }}>{live.error.value}</p> : null}
      {live.trouble.value ? <p class="notice" role="status" style={{ marginBottom: "14px" }}>{live.trouble.value}</p> : null}
      {page ? trial ? <TrialPageView key={trial} live={live} name={trial} /> : <Body live={live} page={page} trials={live.trials.value} tab={tab} /> : null}
    </Shell>
  );
}

function Body({ live, page, trials, tab }: { live: LiveExperiment; page: ExperimentPage; trials: Trials; tab: string }) {
  const query = setting("q") ? { q: setting("q") } : {};
  return (
    <>
      <Head page={page} trials={trials} />
      <nav class="tabs" aria-label="Views of the experiment">
        {TABS.map(([path, text]) => (
          <a key={path} href={to(["e", live.namespace, live.name, ...(path ? [path] : [])], query)} {...(tab === path ? { "aria-current": "page" } : {})}>
            {text}{path === "trials" ? <b>{trials.rows.length.toLocaleString("en")}</b> : null}
          </a>
        ))}
      </nav>
      {tab === "" ? <Overview page={page} trials={trials} /> : null}
      {tab === "curves" ? <CurvesTab live={live} page={page} trials={trials} /> : null}
      {tab === "parameters" ? <ParametersTab live={live} page={page} trials={trials} /> : null}
      {tab === "trials" ? <TrialsTab live={live} page={page} trials={trials} /> : null}
      {tab === "yaml" ? <YamlTab live={live} /> : null}
    </>
  );
}

function Head({ page, trials }: { page: ExperimentPage; trials: Trials }) {
  const { row } = page;
  const runs = row.state === "running";
  const now = useNow();
  const shownAt = useMemo(() => Date.now(), [page]);
  const seconds = page.seconds === null ? null : page.seconds + (runs ? (now - shownAt) / 1000 : 0);
  const left = page.seconds_left === null ? null : Math.max(page.seconds_left - (now - shownAt) / 1000, 0);
  const best = Object.entries(page.best_assignments);
  const computed = trials.rows.reduce((sum, one) => sum + (one.state === "running" && one.start ? now / 1000 - one.start : (one.seconds ?? 0)), 0);
  return (
    <>
      <div class="head">
        <div class="line"><h1>{row.name}</h1><Pill state={row.state} />{row.reason && row.state === "succeeded" ? <span class="faint">{visible(row.reason)}</span> : null}</div>
        <p class="soft">{`${row.goal_type} ${row.metric}${page.goal === null ? "" : ` to ${short(page.goal)}`} · ${row.algorithm} · namespace ${row.namespace}`}</p>
      </div>
      {page.notice ? <p class="notice">{page.notice}</p> : null}
      {row.reason && row.state === "failed" ? <p class="notice bad">{visible(row.reason)}</p> : null}
      <dl class="facts">
        <div>
          <dt>Best {row.metric}</dt>
          <dd>
            {short(row.best)}
            {row.best_trial ? <small><a class="link" href={to(["e", row.namespace, row.name, "trial", row.best_trial])}>{row.best_trial}</a></small> : <small>no value yet</small>}
          </dd>
        </div>
        <div>
          <dt>Trials</dt>
          <dd>{trials.rows.length.toLocaleString("en")}{row.progress.budget === null ? "" : <span class="faint">{` / ${row.progress.budget}`}</span>}<Bar progress={row.progress} /></dd>
        </div>
        <div>
          <dt>{runs ? "Running for" : "Ran for"}</dt>
          <dd>{duration(seconds)}<small>{runs && left !== null ? `about ${duration(left)} left` : `${duration(computed)} of all trials together`}</small></dd>
        </div>
        <div>
          <dt>Parameters of the best trial</dt>
          <dd style={{ fontSize: "13px", fontWeight: 400, letterSpacing: 0 }}>
            {best.length ? best.map(([name, value]) => <div key={name}><span class="faint">{name}</span> {Number.isNaN(Number(value)) || !value ? visible(value) : short(Number(value))}</div>) : "–"}
          </dd>
        </div>
      </dl>
    </>
  );
}

function Overview({ page, trials }: { page: ExperimentPage; trials: Trials }) {
  return (
    <div class="stack">
      <History page={page} trials={trials} />
      {page.causes.length ? (
        <Card title="Why trials have failed">
          <ul class="steps">
            {page.causes.map((cause) => (
              <li key={cause.text}>
                <div>
                  {cause.text.split(" | ").map((line, index) => <code key={index} class="line">{visible(line)}</code>)}
                  <small>
                    {counted(cause.count, "trial")}: {cause.trials.slice(0, 5).map((name, index) => [index ? ", " : "", <a key={name} class="link" href={to(["e", page.row.namespace, page.row.name, "trial", name])}>{name}</a>])}{cause.count > 5 ? " …" : ""}
                  </small>
                </div>
              </li>
            ))}
          </ul>
        </Card>
      ) : null}
      <Timeline page={page} trials={trials} />
    </div>
  );
}
