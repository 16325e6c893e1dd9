// Several processes ask the same at a time, and whoever has the flight is killed.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { sharedServer } from '../support/nats.ts'
import { testProgram } from '../support/program.ts'

const test = suite('answers of processes')

interface Asker {
  readonly child: ChildProcess
  said(): string
}

function start(...args: readonly string[]): Asker {
  const script = fileURLToPath(new URL('asking-worker.ts', import.meta.url))
  const child = spawn(process.execPath, [...testProgram(script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout?.on('data', (data: Buffer) => (said += data.toString()))
  return { child, said: () => said }
}

test('AC2 of processes that ask the same one asks; it is killed, and one of the others has its place, the rest the answer', async () => {
  const { url } = await sharedServer()
  const question = `what is ${process.pid}`
  const holder = start(url, question, 'hold')
  await eventually('it has the flight', () => holder.said() === 'miss\n')
  const others = [start(url, question), start(url, question)]
  await eventually('they wait', () => others.every(({ said }) => said() === 'waits\n'))
  // the flight is kept up for longer than its lease
  await new Promise((resolve) => setTimeout(resolve, 7_000))
  assert.equal(
    others.map(({ said }) => said()),
    ['waits\n', 'waits\n'],
  )
  holder.child.kill('SIGKILL')
  await eventually('both are done', () => others.every(({ said }) => said() !== 'waits\n'))
  const [asked] = others.filter(({ said }) => said() === 'waits\nmiss\n')
  assert.ok(asked !== undefined, 'one of them asks')
  const [found] = others.filter((one) => one !== asked)
  await eventually('the other one has the answer', () => found?.said() === `waits\nhit of ${asked.child.pid}\n`)
})

test.run()
