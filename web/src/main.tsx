import { render } from "preact";
import { takeToken } from "./client";
import { Shell } from "./components/shell";
import { Experiment } from "./pages/experiment";
import { Experiments } from "./pages/experiments";
import { Format } from "./pages/format";
import { place, to } from "./route";
import { TEXTS } from "./texts";

function App() {
  const [kind, namespace, name, tab = "", trial = ""] = place.value.parts;
  if (kind === undefined) return <Experiments />;
  if (kind === "format") return <Format />;
  if (kind === "e" && namespace && name) {
    return tab === "trial" && trial
      ? <Experiment namespace={namespace} name={name} tab="" trial={trial} />
      : <Experiment namespace={namespace} name={name} tab={tab} trial="" />;
  }
  return <Shell crumbs={[{ text: TEXTS.experiments, href: to([]) }]}><p class="notice">This page does not exist. <a class="link" href={to([])}>All experiments</a></p></Shell>;
}

takeToken();
render(<App />, document.getElementById("app") as HTMLElement);
