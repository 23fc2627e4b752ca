/** The object as it is stored. */
import { useEffect, useState } from "preact/hooks";
import { Card } from "../components/parts";
import { get, save } from "../client";
import { visible } from "../format";
import type { LiveExperiment } from "../live";

export function YamlTab({ live }: { live: LiveExperiment }) {
  const [text, setText] = useState("");
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    get<string>(`${live.path}/yaml`, stop.signal).then(setText, () => undefined);
    return () => stop.abort();
  }, [live, live.page.value?.row.state]);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  const tools = (
    <div class="tools">
      <button type="button" class="button" onClick={() => void copy()}>{isCopied ? "Copied" : "Copy"}</button>
      <button type="button" class="button" onClick={() => save(new Blob([text]), `${live.name}.yaml`)}>Download</button>
    </div>
  );
  return (
    <Card title="The Experiment as it is stored" tools={tools} flush>
      <div class="log" tabIndex={0} role="region" aria-label="YAML" style={{ marginTop: "12px", maxHeight: "70vh" }}>
        {text.split("\n").map((line, index) => <div key={index}><span>{index + 1}</span><pre>{visible(line)}</pre></div>)}
      </div>
    </Card>
  );
}
