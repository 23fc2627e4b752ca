/** A plot by uPlot: made anew when its options change, and given new data otherwise. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { isDark } from "../theme";

export interface Tip {
  title: string;
  rows: [string, string][];
}

interface Props {
  height: number;
  label: string;
  data: uPlot.AlignedData;
  /** Makes the options; it is called again when `version` or the theme changes. */
  options: () => Omit<uPlot.Options, "width" | "height">;
  version: string;
  /** Returns what to show about a point; null shows nothing. */
  tip?: (series: number, index: number) => Tip | null;
  click?: (series: number, index: number) => void;
  zoomed?: (low: number, high: number) => void;
}

interface Shown {
  tip: Tip;
  left: number;
  top: number;
  isLeft: boolean;
}

const NEAR = 28;

export function Plot(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [width, setWidth] = useState(0);
  const [shown, setShown] = useState<Shown | null>(null);
  const now = useRef(props);
  now.current = props;

  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    setWidth(element.clientWidth);
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const isReady = width > 0;
  useLayoutEffect(() => {
    if (!isReady) return;
    const given = props.options();
    const made = new uPlot(
      {
        ...given,
        width,
        height: props.height,
        legend: { show: false },
        hooks: { ...given.hooks, setSelect: [...(given.hooks?.setSelect ?? []), (self) => select(self, now.current)] },
      },
      props.data,
      box.current as HTMLDivElement,
    );
    plot.current = made;
    let at: [number, number] | null = null;
    made.over.addEventListener("mousemove", () => {
      at = nearest(made);
      const tip = at && now.current.tip?.(...at);
      made.over.style.cursor = at && now.current.click ? "pointer" : "crosshair";
      if (!at || !tip) return setShown(null);
      const x = made.valToPos(made.data[0][at[1]] as number, "x") + made.over.offsetLeft;
      const y = made.valToPos(made.data[at[0]]?.[at[1]] as number, made.series[at[0]]?.scale ?? "y") + made.over.offsetTop;
      setShown({ tip, left: x, top: y, isLeft: x > made.width / 2 });
    });
    made.over.addEventListener("mouseleave", () => setShown(null));
    made.over.addEventListener("click", () => {
      if (at && !made.select.width) now.current.click?.(...at);
    });
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [props.version, isDark.value, isReady]);

  useEffect(() => {
    const made = plot.current;
    if (made && (made.width !== width || made.height !== props.height) && width) made.setSize({ width, height: props.height });
  }, [width, props.height]);
  useEffect(() => {
    plot.current?.setData(props.data);
  }, [props.data]);

  return (
    <div class="plot" role="img" aria-label={props.label}>
      <div ref={box} style={{ height: `${props.height}px` }} />
      {shown ? (
        <div class="tip" style={{ top: `${Math.max(shown.top - 14, 0)}px`, ...(shown.isLeft ? { right: `calc(100% - ${shown.left - 14}px)` } : { left: `${shown.left + 14}px` }) }}>
          <b>{shown.tip.title}</b>
          {shown.tip.rows.map(([name, value]) => <div key={name}><span>{name}</span><span>{value}</span></div>)}
        </div>
      ) : null}
    </div>
  );
}

function select(self: uPlot, props: Props): void {
  if (self.select.width < 6) return;
  const low = self.posToVal(self.select.left, "x");
  const high = self.posToVal(self.select.left + self.select.width, "x");
  props.zoomed?.(low, high);
}

/** Returns the drawn point next to the pointer, as series and position; null if all are far. */
function nearest(plot: uPlot): [number, number] | null {
  const { left, top } = plot.cursor;
  if (left === undefined || top === undefined || left === null || top === null || left < 0) return null;
  const xs = plot.data[0];
  let best: [number, number] | null = null;
  let least = NEAR * NEAR;
  const [from, until] = [plot.posToIdx(left - NEAR), plot.posToIdx(left + NEAR)];
  for (let series = 1; series < plot.data.length; series++) {
    const one = plot.series[series];
    if (!one?.show || one.label === undefined) continue;
    const values = plot.data[series] as (number | null | undefined)[];
    for (let index = from; index <= until; index++) {
      const value = values[index];
      if (value === null || value === undefined) continue;
      const x = plot.valToPos(xs[index] as number, "x") - left;
      const y = plot.valToPos(value, one.scale ?? "y") - top;
      if (x * x + y * y < least) [least, best] = [x * x + y * y, [series, index]];
    }
  }
  return best;
}
