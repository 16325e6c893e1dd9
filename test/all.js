// `npm test`: static checks, build, then every test file. Last line: N passed, N failed.
//   npm test -- PATTERN    only test files whose path matches
//   npm test -- --times    and says which files and tests took longest
//   npm test -- --processes 3    so many files at a time (default: as many as processors, 2 to 4)
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { testFiles } from './support/test-files.js'
import { sayTimes } from './support/test-times.js'

/** @typedef {import('./run.ts').FileReport} FileReport */

/** The longest go first, so that none is begun when all others have ended. A wrong order costs time only. */
const LONGEST = [
  'cli/repartition.test.ts',
  'cli/pause.test.ts',
  'cli/rules-live.test.ts',
  'faults/server-away.test.ts',
  'cli/rules.test.ts',
  'cli/streams-merged.test.ts',
  'kernel/ownership/faults.test.ts',
  'cli/faults.test.ts',
  'cli/dev.test.ts',
  'kernel/crash-at-every-index.test.ts',
  'pipeline/slots-property.test.ts',
  'faults/leader-killed.test.ts',
  'faults/processors.test.ts',
  'cli/replay.test.ts',
]
/** They take the whole machine, and others have timers. Beside each other they only make it harder. */
const ALONE = /^chaos\//
/** A process is given this many files: what they leave behind (streams on its server, memory) has an end. */
const FILES_PER_PROCESS = 30

const started = performance.now()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'boolean', default: false }, processes: { type: 'string' } },
})
const { times } = values
const pattern = positionals[0] ?? '.'
const whole = pattern === '.'
const usual = whole ? Math.min(4, Math.max(2, availableParallelism())) : 1
const atOnce = values.processes === undefined ? usual : Math.max(1, Number(values.processes) || 1)
let passed = 0
let failed = 0
/** @type {FileReport[]} */
const reports = []

/** @param {string} command @param {string[]} args @param {boolean} [ipc] */
function start(command, args, ipc = false) {
  const child = spawn(command, args, {
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? /** @type {const} */ (['ipc']) : [])],
    shell: process.platform === 'win32' && !ipc,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)))
  const say = () => {
    process.stdout.write(output)
    output = ''
  }
  /** @type {Promise<number>} */
  const code = new Promise((resolve) => {
    const end = (/** @type {number | null} */ code) => resolve(code ?? 1)
    child.on('error', (error) => {
      output += `${error.message}\n`
      end(1)
    })
    child.on('close', end)
    // a process that a test left behind may hold the output open; it must not hold up the result
    child.on('exit', (code) => setTimeout(() => end(code), 3_000).unref())
  })
  return { child, code, say }
}

/** @param {string} name @param {string[]} args */
async function step(name, args) {
  const { code, say } = start('npm', args)
  const ok = (await code) === 0
  if (ok) passed += 1
  else failed += 1
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name}`)
  if (!ok) say()
}

const loader = new URL('../src/runtime/load-typescript.js', import.meta.url).href

/** One process, which takes files from the front of `waiting`. @param {string[]} waiting */
async function runSome(waiting) {
  const given = times ? ['--given', '--times'] : ['--given']
  const { child, code, say } = start(process.execPath, ['--import', loader, 'test/run.ts', ...given], true)
  /** @type {string | undefined} */
  let file
  let left = FILES_PER_PROCESS
  let failures = 0
  child.on('message', (/** @type {{ report?: FileReport }} */ { report }) => {
    if (report !== undefined) {
      reports.push(report)
      passed += report.passed
      failures += report.failed
      setImmediate(say)
    }
    file = left-- > 0 ? waiting.shift() : undefined
    child.send({ file })
  })
  const ended = await code
  say()
  failed += failures
  if (ended === 0 || (failures > 0 && file === undefined)) return
  failed += 1
  console.log(`FAIL  ${file ?? 'a process of the tests'} ended with code ${ended}`)
}

/** @param {string[]} waiting @param {number} processes */
async function runAll(waiting, processes) {
  const worker = async () => {
    while (waiting.length > 0) await runSome(waiting)
  }
  await Promise.all(Array.from({ length: processes }, worker))
}

if (whole) {
  await Promise.all([step('types, lint, format', ['run', '-s', 'check']), step('build', ['run', '-s', 'build'])])
}
const files = testFiles(pattern)
const place = (/** @type {string} */ file) => (LONGEST.includes(file) ? LONGEST.indexOf(file) : LONGEST.length)
const first = files.toSorted((a, b) => place(a) - place(b))
await runAll(
  first.filter((file) => !ALONE.test(file)),
  atOnce,
)
await runAll(
  first.filter((file) => ALONE.test(file)),
  atOnce,
)

if (times) sayTimes(reports)
if (passed === 0) failed += 1
console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
