// `npm test`: types and lint, build, then every test file. Last line: N passed, N failed.
//   npm test -- PATTERN    only test files whose path matches
//   npm test -- --times    and says which files and tests took longest
//   npm test -- --processes 3    so many files at a time (default: one more than processors, 3 or 4)
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { lastWords, sayFailures } from './support/failures.js'
import { testFiles } from './support/test-files.js'
import { sayTimes } from './support/test-times.js'

/** @typedef {import('./run.ts').FileReport} FileReport */

/** The longest go first, so that none is begun when all others have ended. A wrong order costs time only. */
const LONGEST = [
  'chaos/delivery.test.ts',
  'chaos/chaos.test.ts',
  'chaos/jobs.test.ts',
  'chaos/actors.test.ts',
  'cli/repartition.test.ts',
  'cli/rules-live.test.ts',
  'kernel/repartition/repartition.test.ts',
  'kernel/repartition/ended.test.ts',
  'runtime/stuck.test.ts',
  'e2e/survives-kill.test.ts',
  'outbox/chaos.test.ts',
  'kernel/crash-at-every-index.test.ts',
  'cli/pause.test.ts',
  'delivery/complaints-consumers.test.ts',
  'delivery/complaints-recovery.test.ts',
  'faults/server-away.test.ts',
  'view/view-killed.test.ts',
  'cli/faults.test.ts',
  'cli/dev.test.ts',
  'delivery/handler-moved.test.ts',
  'kernel/killing-message.test.ts',
  'kernel/retention.test.ts',
  'pipeline/slots-property.test.ts',
  'replay/verify/verify-processor.test.ts',
  'cli/publish.test.ts',
  'cli/verify.test.ts',
  'kernel/large-values.test.ts',
  'actor/timers.test.ts',
  'delivery/limits/limits-of-processes.test.ts',
  'kernel/windows-on-server.test.ts',
  'cli/streams-status.test.ts',
  'kernel/takeover.test.ts',
]
/** They take the whole machine, and others have timers. Beside each other they only make it harder. */
const ALONE = /^chaos\//
/** A process is given this many files: what they leave behind (streams on its server, memory) has an end. */
const FILES_PER_PROCESS = 90

/** What is at work is said so often. */
const SAID_EVERY_MS = 60_000

/** Hundreds of processes load the same sources. */
const CACHE = fileURLToPath(new URL('../node_modules/.cache/millrace', import.meta.url))

const started = performance.now()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'boolean', default: false }, processes: { type: 'string' } },
})
const { times } = values
const pattern = positionals[0] ?? '.'
const whole = pattern === '.'
// what takes longest mostly waits: for servers, leases, processes
const usual = whole ? Math.min(4, availableParallelism() + 1) : 1
const atOnce = values.processes === undefined ? usual : Math.max(1, Number(values.processes) || 1)
let passed = 0
let failed = 0
/** Said once more at the end. @type {string[]} */
const failures = []
/** @type {FileReport[]} */
const reports = []
/** What runs now, and since when. @type {Map<string, number>} */
const atWork = new Map()

/** @param {string} command @param {string[]} args @param {boolean} [ipc] */
function start(command, args, ipc = false) {
  const child = spawn(command, args, {
    env: { ...process.env, MILLRACE_TYPESCRIPT_CACHE: CACHE, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? /** @type {const} */ (['ipc']) : [])],
    shell: process.platform === 'win32' && !ipc,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)))
  /** Writes what was not written yet, and gives it. */
  const say = () => {
    const said = output
    process.stdout.write(said)
    output = ''
    return said
  }
  /** @type {Promise<number | string>} */
  const code = new Promise((resolve) => {
    child.on('error', (error) => {
      output += `${error.message}\n`
      resolve(1)
    })
    child.on('close', (code, signal) => resolve(code ?? signal ?? 1))
    // a process that a test left behind may hold the output open; it must not hold up the result
    child.on('exit', (code, signal) => setTimeout(() => resolve(code ?? signal ?? 1), 3_000).unref())
  })
  return { child, code, say }
}

/** @param {string} name @param {string[]} args */
async function step(name, args) {
  atWork.set(name, performance.now())
  const { code, say } = start('npm', args)
  const ok = (await code) === 0
  atWork.delete(name)
  if (ok) passed += 1
  else failed += 1
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name}`)
  if (!ok) failures.push(`${name}: ${say().trim()}`)
}

const loader = new URL('../src/runtime/load-typescript.js', import.meta.url).href

/** One process, which takes files from the front of `waiting`. @param {string[]} waiting */
async function runSome(waiting) {
  const given = times ? ['--given', '--times'] : ['--given']
  const { child, code, say } = start(process.execPath, ['--import', loader, 'test/run.ts', ...given], true)
  /** @type {string | undefined} */
  let file
  let left = FILES_PER_PROCESS
  let failedHere = 0
  child.on('message', (/** @type {{ report?: FileReport }} */ { report }) => {
    if (report !== undefined) {
      reports.push(report)
      passed += report.passed
      failedHere += report.failed
      failures.push(...report.failures.map((failure) => `${report.file}: ${failure}`))
      atWork.delete(report.file)
      setImmediate(say)
    }
    file = left-- > 0 ? waiting.shift() : undefined
    if (file !== undefined) atWork.set(file, performance.now())
    child.send({ file })
  })
  const ended = await code
  const said = say()
  failed += failedHere
  if (ended === 0 || (failedHere > 0 && file === undefined)) return
  failed += 1
  failures.push(`${file ?? 'a process of the tests'}: its process ended with ${ended}: ${lastWords(said)}`)
  if (file !== undefined) atWork.delete(file)
  sayFailures(failures.slice(-1))
}

/** @param {string[]} waiting @param {number} processes */
async function runAll(waiting, processes) {
  const worker = async () => {
    while (waiting.length > 0) await runSome(waiting)
  }
  await Promise.all(Array.from({ length: processes }, worker))
}

/** Files at work, the longest first. */
function sayAtWork() {
  const now = performance.now()
  const since = [...atWork].map(([what, began]) => `${what} (${seconds(now - began)})`)
  console.log(`after ${seconds(now - started)} at work: ${since.join(', ')}`)
}

const seconds = (/** @type {number} */ ms) => `${(ms / 1_000).toFixed(0)} s`

function finish() {
  if (passed === 0) failed += 1
  console.log(seconds(performance.now() - started))
  sayFailures(failures)
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

// whoever stops this, for it took too long, or reads of it later, learns what ran
setInterval(sayAtWork, SAID_EVERY_MS).unref()
for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT']))
  process.on(signal, () => {
    for (const what of atWork.keys()) failures.push(`${what}: was at work when the tests were stopped by ${signal}`)
    failed += Math.max(1, atWork.size)
    finish()
    process.exit()
  })

if (whole) {
  await Promise.all([step('types, lint', ['run', '-s', 'check:code']), step('build', ['run', '-s', 'build'])])
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
finish()
