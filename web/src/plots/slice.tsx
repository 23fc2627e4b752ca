/** The objective over one parameter: a point for each trial. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ExperimentPage } from "../api";
import { short } from "../format";
import { go, to } from "../route";
import { colour, isDark, scale } from "../theme";
import type { Trial, Trials } from "../trials";
import { scaleOf } from "./parallel";
import { context } from "./style";

const HEIGHT = 170;
const LEFT = 48;
const FOOT = 20;
const EDGE = 10;

export function Slice({ name, page, trials, rows }: { name: string; page: ExperimentPage; trials: Trials; rows: Trial[] }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [near, setNear] = useState<{ row: Trial; x: number; y: number } | null>(null);
  const across = scaleOf(name, page, trials, false, false);
  const up = scaleOf(page.row.metric, page, trials, false, false);
  const last = Math.max(...rows.map((row) => row.number), 1);
  const x = (row: Trial): number | null => {
    const part = across.height(across.of(row));
    return part === null ? null : LEFT + EDGE + part * (width - LEFT - 2 * EDGE);
  };
  const y = (row: Trial): number | null => {
    const part = up.height(up.of(row));
    return part === null ? null : EDGE + (1 - part) * (HEIGHT - FOOT - 2 * EDGE);
  };
  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    const measure = (): void => setWidth(element.clientWidth);
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (!canvas.current || !width) return;
    const drawing = context(canvas.current, width, HEIGHT);
    drawing.strokeStyle = colour("grid");
    drawing.fillStyle = colour("faint");
    drawing.textBaseline = "middle";
    drawing.textAlign = "right";
    for (const tick of [up.ticks[0], up.ticks[2], up.ticks[4]]) {
      if (!tick) continue;
      const at = Math.round(EDGE + (1 - tick.height) * (HEIGHT - FOOT - 2 * EDGE)) + 0.5;
      drawing.beginPath();
      drawing.moveTo(LEFT, at);
      drawing.lineTo(width, at);
      drawing.stroke();
      drawing.fillText(tick.text, LEFT - 6, at);
    }
    const ticks = across.ticks.length === 5 && !across.ticks.some((one) => Number.isNaN(Number(one.text))) ? [across.ticks[0], across.ticks[4]] : across.ticks;
    drawing.textBaseline = "alphabetic";
    ticks.forEach((tick, index) => {
      if (!tick) return;
      drawing.textAlign = index === 0 ? "left" : index === ticks.length - 1 ? "right" : "center";
      const at = LEFT + (index === 0 ? 0 : index === ticks.length - 1 ? width - LEFT : EDGE + tick.height * (width - LEFT - 2 * EDGE));
      drawing.fillText(tick.text, at, HEIGHT - 4);
    });
    for (const row of rows) {
      const [left, top] = [x(row), y(row)];
      if (left === null || top === null) continue;
      const isBest = row.name === page.row.best_trial;
      drawing.fillStyle = isBest ? colour("best") : scale(row.number / last, 0.85);
      drawing.beginPath();
      drawing.arc(left, top, isBest ? 5.5 : 4, 0, 2 * Math.PI);
      drawing.fill();
      drawing.strokeStyle = colour("panel");
      drawing.stroke();
    }
  }, [rows, trials, page, width, isDark.value]);
  const hover = (event: MouseEvent): void => {
    let found: Trial | null = null;
    let least = 14;
    for (const row of rows) {
      const [left, top] = [x(row), y(row)];
      if (left === null || top === null) continue;
      const far = Math.hypot(left - event.offsetX, top - event.offsetY);
      if (far < least) [least, found] = [far, row];
    }
    setNear(found ? { row: found, x: event.offsetX, y: event.offsetY } : null);
  };
  return (
    <figure>
      <figcaption>{name}</figcaption>
      <div class="plot" ref={box} role="img" aria-label={`${page.row.metric} over ${name}`}>
        <canvas ref={canvas} style={near ? { cursor: "pointer" } : {}} onMouseMove={hover} onMouseLeave={() => setNear(null)} onClick={() => near && go(to(["e", page.row.namespace, page.row.name, "trial", near.row.name]))} />
        {near ? (
          <div class="tip" style={{ top: `${near.y + 12}px`, ...(near.x > width / 2 ? { right: `${width - near.x + 10}px` } : { left: `${near.x + 12}px` }) }}>
            <b>{near.row.name}</b>
            <div><span>{name}</span><span>{String(across.of(near.row))}</span></div>
            <div><span>{page.row.metric}</span><span>{short(near.row.results[0])}</span></div>
          </div>
        ) : null}
      </div>
    </figure>
  );
}
