import { createRequire } from 'node:module'
import * as rxjs from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { leaks, runIn } from '../../src/time/ambient.ts'
import { EventTimeScheduler } from '../../src/time/event-time-scheduler.ts'
import { installGuard } from '../../src/time/guard.ts'
import { selfTest, type RxjsModule } from '../../src/time/self-test.ts'

const test = suite('self-test of rxjs')
const require = createRequire(import.meta.url)

/** A second copy of rxjs, as a nested node_modules would bring. */
function secondCopy(): RxjsModule {
  const kept = new Map<string, NodeModule | undefined>()
  for (const path of Object.keys(require.cache))
    if (path.includes('rxjs')) {
      kept.set(path, require.cache[path])
      delete require.cache[path]
    }
  const copy = require('rxjs') as RxjsModule
  for (const path of Object.keys(require.cache)) if (path.includes('rxjs')) delete require.cache[path]
  for (const [path, module] of kept) require.cache[path] = module
  return copy
}

test('our own rxjs passes, imported or required, and leaves nothing behind', () => {
  const before = { ...leaks }
  selfTest()
  selfTest(rxjs)
  selfTest(require('rxjs') as RxjsModule)
  assert.equal(leaks, before)
})

test('a second copy of rxjs is refused with what it missed and what to do, and its timers are cancelled', () => {
  const copy = secondCopy()
  assert.is.not(copy.asyncScheduler, rxjs.asyncScheduler)
  const isRefused = (error: unknown): boolean =>
    isFault(error, 'RXJS_FOREIGN') &&
    error.disposition === 'crash' &&
    /now\(\) is not event time/.test(error.detail) &&
    /does not arm its timers/.test(error.detail) &&
    /rxjs\/dist\/cjs\/index\.js/.test(error.detail) &&
    /npm ls rxjs/.test(error.advice)
  assert.throws(() => selfTest(copy), isRefused)
  installGuard()
  assert.throws(() => selfTest(copy), isRefused)
  selfTest()
})

test('something that is no rxjs is refused with the same code', () => {
  assert.throws(
    () => selfTest({} as RxjsModule),
    (error: unknown) => isFault(error, 'RXJS_FOREIGN'),
  )
})

test('in a turn it is refused, as any turn in a turn', () => {
  assert.throws(
    () => runIn(new EventTimeScheduler(0), () => selfTest()),
    (error: unknown) => isFault(error, 'TURN_NESTED'),
  )
})

test.run()
