/** The live state of one experiment, shared by all its pages. */
import { batch, signal } from "@preact/signals";
import type { Curve, ExperimentPage, LivePoints, StateChange, TrialColumns } from "./api";
import { ApiError, follow, get } from "./client";
import { merged, NONE, type Trials } from "./trials";

export class LiveExperiment {
  readonly page = signal<ExperimentPage | null>(null);
  readonly trials = signal<Trials>(NONE);
  readonly error = signal("");
  readonly trouble = signal("");
  readonly path: string;
  private readonly stop = new AbortController();
  /** Called with new points, and with null when all points must be read anew. */
  onPoints: ((points: LivePoints[] | null) => void) | null = null;
  private stream = new AbortController();
  private isFresh = true;

  constructor(
    readonly namespace: string,
    readonly name: string,
  ) {
    this.path = `/experiments/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  }

  /** Opens the stream; with points, those of running trials come too. */
  open(withPoints: boolean): void {
    this.stream.abort();
    this.stream = new AbortController();
    this.isFresh = true;
    const stop = AbortSignal.any([this.stop.signal, this.stream.signal]);
    // At once, for the eye; and again when the stream has begun, so that no change is missed.
    if (this.page.value === null) void this.readAll();
    void follow(
      `${this.path}/stream${withPoints ? "?points=1" : ""}`,
      (event) => this.handle(event.name, event.data),
      (error) => this.fail(error),
      stop,
    );
  }

  close(): void {
    this.stop.abort();
  }

  private handle(name: string, data: unknown): void {
    if (name === "hello") void this.readAll(true);
    else if (name === "state") this.apply(data as StateChange);
    else if (name === "points") this.onPoints?.(data as LivePoints[]);
    else if (name === "gone") this.error.value = (data as { error: string }).error;
    else if (name === "trouble") this.trouble.value = (data as { error: string }).error;
    if (name !== "trouble" && this.trouble.value) this.trouble.value = "";
  }

  private apply(change: StateChange): void {
    batch(() => {
      this.page.value = change.page;
      const now = merged(this.trials.value, change.trials, false);
      this.trials.value = now;
      if (now.rows.length !== change.total) void this.readAll();
    });
  }

  private async readAll(isStream = false): Promise<void> {
    try {
      const [page, columns] = await Promise.all([
        get<ExperimentPage>(this.path, this.stop.signal),
        get<TrialColumns>(`${this.path}/trials`, this.stop.signal),
      ]);
      batch(() => {
        this.page.value = page;
        this.trials.value = merged(NONE, columns, true);
        this.error.value = "";
      });
      // A stream that continues after a failure has no hole, so what is drawn stays.
      if (isStream && this.isFresh) {
        this.isFresh = false;
        this.onPoints?.(null);
      }
    } catch (error) {
      if (error instanceof ApiError) this.fail(error);
    }
  }

  private fail(error: ApiError): void {
    if (error.status === 404 || error.status === 401) this.error.value = error.message;
    else this.trouble.value = error.message;
  }
}

/** Appends live points to a curve; null if some between are missing, so that it must be read anew. */
export function appended(curve: Curve, live: LivePoints): Curve | null {
  if (live.first > curve.count) return null;
  const skip = curve.count - live.first;
  if (skip >= live.values.length) return curve;
  const times = live.times.slice(skip);
  const values = live.values.slice(skip);
  const start = curve.start ?? (times[0] as number);
  return {
    ...curve,
    start,
    count: curve.count + values.length,
    index: [...curve.index, ...values.map((_, place) => curve.count + place)],
    seconds: [...curve.seconds, ...times.map((time) => time - start)],
    step: withSteps(curve, live.steps.slice(skip)),
    value: [...curve.value, ...values],
  };
}

function withSteps(curve: Curve, steps: (number | null)[]): (number | null)[] {
  if (!curve.step.length && steps.every((one) => one === null)) return [];
  const before = curve.step.length ? curve.step : curve.index.map(() => null);
  return [...before, ...steps];
}
