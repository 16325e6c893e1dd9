// .ci/run against an npm that answers as it is told: it must not be green when something was not.
import { spawn } from 'node:child_process'
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryDirectory } from '../support/nats.ts'
import { TOP } from '../support/repository.ts'

const test = suite('.ci/run')

interface Answers {
  readonly ci?: number
  readonly demo?: number
  readonly test?: number
  readonly counts?: string
}

async function ciRun({ ci = 0, demo = 0, test = 0, counts = '7 passed, 0 failed' }: Answers) {
  const folder = await temporaryDirectory()
  for (const name of ['.ci', 'bin']) await mkdir(join(folder, name))
  await copyFile(join(TOP, '.ci/run'), join(folder, '.ci/run'))
  const npm = `#!/usr/bin/env bash
echo "$* CI=$CI NATS_URL=\${NATS_URL:-} NATS_SERVER_BIN=\${NATS_SERVER_BIN:-}" >> "${folder}/asked"
case "$1" in
  ci) exit ${ci} ;;
  run) echo '{"lost":0}'; exit ${demo} ;;
  test) read -r line; echo "shard 1/2: 99 passed, 0 failed, 0 skipped"; echo "${counts}"; exit ${test} ;;
  *) echo 11 ;;
esac
`
  await writeFile(join(folder, 'bin/npm'), npm)
  await chmod(join(folder, 'bin/npm'), 0o755)
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    NATS_URL: 'nats://elsewhere:1',
    NATS_SERVER_BIN: '/nowhere',
  }
  const child = spawn('bash', [join(folder, '.ci/run')], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, last: output.trimEnd().split('\n').at(-1), asked: await readFile(join(folder, 'asked'), 'utf8') }
}

test('installs, runs the demo and the tests, and counts the demo as one', async () => {
  const { code, last, asked } = await ciRun({})
  assert.equal([code, last], [0, '8 passed, 0 failed'])
  assert.equal(
    asked
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/ CI=.*/, '')),
    ['--version', 'ci', 'run -s demo -- --json', 'test'],
  )
})

test('nothing of the machine’s own servers reaches what it runs, and CI is set', async () => {
  const { asked } = await ciRun({})
  assert.match(asked, 'test CI=true NATS_URL= NATS_SERVER_BIN=\n')
})

test('is red when any part is, and says how many', async () => {
  const outcomes: (readonly [Answers, string])[] = [
    [{ ci: 1 }, '0 passed, 1 failed'],
    [{ demo: 1 }, '7 passed, 1 failed'],
    [{ test: 1, counts: '5 passed, 2 failed' }, '6 passed, 2 failed'],
    [{ test: 1, counts: 'a crash' }, '1 passed, 1 failed'],
    [{ test: 0, counts: 'nothing said' }, '1 passed, 1 failed'],
    [{ test: 3 }, '8 passed, 1 failed'],
  ]
  for (const [answers, expected] of outcomes) {
    const { code, last } = await ciRun(answers)
    assert.equal([code, last], [1, expected], JSON.stringify(answers))
  }
})

test.run()
