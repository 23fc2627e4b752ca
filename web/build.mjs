// Checks the types, and builds the pages into ui/dist. `node build.mjs`, by `make ui`.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
process.chdir(here);
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."], { stdio: "inherit" });

// Into a folder of its own first: a server meets the old pages or the new ones, never a mixture.
const built = "../ui/dist";
const fresh = `${built}.${process.pid}`;
await mkdir(fresh, { recursive: true });
await build({
  entryPoints: { main: "src/main.tsx" },
  bundle: true,
  minify: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  outdir: fresh,
  legalComments: "eof",
  logLevel: "warning",
});
await build({ entryPoints: { main: "src/style.css" }, minify: true, outdir: fresh, logLevel: "warning" });
for (const name of ["index.html", "icon.svg"]) await copyFile(`src/${name}`, `${fresh}/${name}`);
await rm(built, { recursive: true, force: true });
await rename(fresh, built);
