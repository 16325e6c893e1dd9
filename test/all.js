// `npm test`: static checks, build, then every test file in shards, each shard a process. Last line: N passed, N failed.
//   npm test -- PATTERN    only test files whose path matches
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'

const pattern = process.argv[2] ?? '.'
const whole = pattern === '.'
// more parts than run at once: whoever is done takes the next, and no process has all the long ones
const atOnce = whole ? Math.min(4, Math.max(2, availableParallelism())) : 1
const shards = whole ? 4 * atOnce : 1
const started = performance.now()

/** @param {string} command @param {string[]} args @returns {Promise<{ code: number, output: string }>} */
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    child.on('error', (error) => resolve({ code: 1, output: `${output}${error.message}\n` }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
    // a process that a test left behind may hold the output open; it must not hold up the result
    child.on('exit', (code) => setTimeout(() => resolve({ code: code ?? 1, output }), 3_000).unref())
  })
}

let passed = 0
let failed = 0

if (whole) {
  for (const [name, command] of /** @type {const} */ ([
    ['types, lint, format', ['run', '-s', 'check']],
    ['build', ['run', '-s', 'build']],
  ])) {
    const { code, output } = await run('npm', [...command])
    if (code === 0) passed += 1
    else failed += 1
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'}  ${name}`)
    if (code !== 0) process.stdout.write(output)
  }
}

const loader = new URL('../src/runtime/load-typescript.js', import.meta.url).href
const shard = (/** @type {string} */ files, part = '1/1') =>
  run(process.execPath, ['--import', loader, 'test/run.ts', files, part])
/** @type {{ code: number, output: string }[]} */
const results = []
let next = 0
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let index = next++; index < shards; index = next++)
      results[index] = await shard(whole ? '^(?!chaos/)' : pattern, `${index + 1}/${shards}`)
  }),
)
// it takes the whole machine, and others have timers
if (whole) results.push(await shard('^chaos/'))
for (const [index, { code, output }] of results.entries()) {
  process.stdout.write(output)
  const counts = /^shard \S+: (\d+) passed, (\d+) failed/m.exec(output)
  passed += Number(counts?.[1] ?? 0)
  failed += Number(counts?.[2] ?? 0)
  if (code !== 0 && Number(counts?.[2] ?? 0) === 0) {
    failed += 1
    console.log(`FAIL  shard ${index + 1} of ${results.length} ended with code ${code}`)
  }
}
if (passed === 0) failed += 1
console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
