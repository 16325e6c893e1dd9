// What `--times` says: how long files and tests took, the slowest first.

/** @typedef {{ readonly name: string, readonly ms: number }} TestTime */
/** @typedef {{ readonly file: string, readonly ms: number, readonly cpu: number, readonly tests: readonly TestTime[] }} FileTime */

const SHOWN = 40

/**
 * Takes the time of each test from now on; the returned function gives those since it was last called. uvu reports no
 * times, but writes the name of the test that begins, and '' after the last, to `__test__` of an object it makes.
 * @returns {() => TestTime[]}
 */
export function watchTests() {
  /** @type {TestTime[]} */
  let times = []
  let name = ''
  let started = 0
  Reflect.defineProperty(Object.prototype, '__test__', {
    get: () => name,
    set(/** @type {string} */ next) {
      const now = performance.now()
      if (name !== '') times.push({ name, ms: now - started })
      name = next
      started = now
    },
  })
  return () => {
    const taken = times
    times = []
    return taken
  }
}

/** @param {readonly FileTime[]} files */
export function sayTimes(files) {
  const seconds = (/** @type {number} */ ms) => `${(ms / 1_000).toFixed(1).padStart(7)} s`
  const slowest = (/** @type {{ ms: number }} */ a, /** @type {{ ms: number }} */ b) => b.ms - a.ms
  const dearest = (/** @type {FileTime} */ a, /** @type {FileTime} */ b) => b.cpu - a.cpu
  console.log('\nfiles that cost most: processor time with what they began, and how long they took')
  for (const { file, ms, cpu } of files.toSorted(dearest).slice(0, SHOWN))
    console.log(`${seconds(cpu)} ${seconds(ms)}  ${file}`)
  console.log('\nslowest tests')
  const tests = files.flatMap(({ file, tests }) => tests.map(({ name, ms }) => ({ name: `${file} › ${name}`, ms })))
  for (const { name, ms } of tests.toSorted(slowest).slice(0, SHOWN)) console.log(`${seconds(ms)}  ${name}`)
  console.log('\nby room: processor time, and time')
  for (const room of new Set(files.map(({ file }) => roomOf(file)))) {
    const own = files.filter(({ file }) => roomOf(file) === room)
    const sum = (/** @type {'cpu' | 'ms'} */ of) => own.reduce((all, file) => all + file[of], 0)
    console.log(`${seconds(sum('cpu'))} ${seconds(sum('ms'))}  ${room}`)
  }
}

const roomOf = (/** @type {string} */ file) => file.split(/[\\/]/)[0] ?? file
