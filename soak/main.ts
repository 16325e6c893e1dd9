// npm run soak -- NAME [--seconds N] [--runs N] [--seed N] [--json]
// Tests that take longer than CI has: their last line, with --json, is one JSON object.
import { parseArgs } from 'node:util'
import { after } from '../test/support/cleanup.ts'
import { soaks } from './soaks.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    runs: { type: 'string' },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const [name] = positionals
const soak = name === undefined ? undefined : soaks[name]
if (soak === undefined || values.help) {
  console.log('npm run soak -- NAME [--seconds N] [--runs N] [--seed N] [--json]\n')
  for (const [known, { about }] of Object.entries(soaks)) console.log(`  ${known.padEnd(12)} ${about}`)
  process.exit(values.help ? 0 : 2)
}
const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))
let ok = false
try {
  const report = await soak.run({
    seconds: number(values.seconds),
    runs: number(values.runs),
    seed: number(values.seed),
    onProgress: (text) => console.error(text),
  })
  ok = report.ok
  if (values.json) console.log(JSON.stringify({ soak: name, ...report }))
  else for (const [what, value] of Object.entries(report)) console.log(`${what.padEnd(16)} ${format(value)}`)
} finally {
  await after()
}
process.exit(ok ? 0 : 1)

function format(value: unknown): string {
  if (Array.isArray(value)) return value.join('\n  ')
  if (typeof value !== 'object' || value === null) return String(value)
  const lines = Object.entries(value).map(
    ([name, found]) => `${name}: ${typeof found === 'object' ? JSON.stringify(found) : String(found)}`,
  )
  return ['', ...lines].join('\n  ')
}
