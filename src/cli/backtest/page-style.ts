/** The look of a report: light and dark, from a phone to a wide screen, and on paper. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #556070; --line: #d8dee6; --paper: #fff; --panel: #f5f7fa;
  --events: #9aa7b8; --here: #0b6bcb; --there: #b4540a; --good: #1a7f37; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9ba7b6; --line: #323b47; --paper: #12161c;
  --panel: #1a2029; --events: #64748b; --here: #58a6ff; --there: #f0954b; --good: #4cc26b; --bad: #ff7b6e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.25rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
p { margin: .4rem 0; }
.soft { color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; padding: 0; }
.figures div { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.figures dt { color: var(--soft); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.figures small { display: block; color: var(--soft); font-size: .8rem; font-weight: 400; }
figure { margin: 0 0 .75rem; }
figcaption { font-size: .85rem; color: var(--soft); display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; }
svg { display: block; width: 100%; border-bottom: 1px solid var(--line); background: var(--panel); }
.lane { height: 4.5rem; } .lane.tall { height: 6rem; }
.events { fill: var(--events); } .here { fill: var(--here); } .there { fill: var(--there); }
.axis { display: flex; justify-content: space-between; gap: .5rem; font-size: .8rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.swatch { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .35em; }
.swatch.events { background: var(--events); } .swatch.here { background: var(--here); } .swatch.there { background: var(--there); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .65rem; border-bottom: 1px solid var(--line); }
th { background: var(--panel); font-weight: 600; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
code, pre { font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; overflow-x: auto; margin: 0; }
summary { cursor: pointer; color: var(--here); }
summary:focus-visible { outline: 2px solid var(--here); outline-offset: 2px; }
details ul { margin: .35rem 0 0; padding-left: 1.1rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.notes { border-left: 3px solid var(--there); padding: .1rem 0 .1rem .9rem; margin: 1.25rem 0; }
.bar { height: .9rem; border-radius: .25rem; border: 0; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .35rem .75rem; align-items: center; }
.bars b { font-variant-numeric: tabular-nums; text-align: right; }
@media (max-width: 40rem) { body { font-size: 15px; }
  table.stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.stack tr { display: block; padding: .5rem .2rem; border-bottom: 1px solid var(--line); }
  table.stack td { display: block; border: 0; padding: .1rem .5rem; white-space: normal; overflow-wrap: anywhere; } }
@media print { details { display: block; } .scroll { overflow: visible; } }
`
