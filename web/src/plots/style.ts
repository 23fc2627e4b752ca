/** What all plots share: axes, grids, and the look of points. */
import type uPlot from "uplot";
import { short } from "../format";
import { colour } from "../theme";

const FONT = '11px Inter, "Inter Variable", ui-sans-serif, system-ui, sans-serif';

export function axis(more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  const line = { stroke: colour("grid"), width: 1 };
  return { stroke: colour("faint"), font: FONT, labelFont: FONT, grid: line, ticks: { ...line, size: 4 }, gap: 6, labelGap: 0, labelSize: 16, size: 26, ...more };
}

/** The axis of values: as wide as its longest label. */
export function valueAxis(more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return axis({
    values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : short(tick))),
    size: (_, labels) => 16 + 6.4 * Math.max(3, ...(labels ?? []).map((one) => one?.length ?? 0)),
    ...more,
  });
}

/** Keeps a range open around values, so that a constant line lies in the middle. */
export function padded(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const span = high - low || Math.abs(high) || 1;
  return [low - span * 0.06, high + span * 0.06];
}

export function context(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const drawing = canvas.getContext("2d") as CanvasRenderingContext2D;
  drawing.scale(ratio, ratio);
  drawing.font = FONT;
  return drawing;
}
