// What is said of failures once more at the end, where whoever sees a part of the output sees it.

const SHOWN = 30
const LONGEST = 300

/**
 * What uvu says of the tests of a suite, without colours, as a line for each: its name, what was wrong, and the first
 * values that differ.
 * @param {string} said
 * @returns {string[]}
 */
export function failuresIn(said) {
  const parts = said.split(/^ {3}FAIL (?= .* "|".*"$)/m).slice(1)
  return parts.map((part) => {
    const [title = '', message = '', ...more] = part.split('\n')
    const name = /"(.*)"$/.exec(title)?.[1] ?? title.trim()
    const differences = more.filter((line) => /^ {8}(\+\+|--)/.test(line)).slice(0, 4)
    return [`${name}: ${message.trim()}`, ...differences.map((line) => line.trim())].join(' ')
  })
}

/**
 * Why a process ended, if its output says so: what it says of itself, an error that nobody caught, or its last words.
 * @param {string} output
 */
export function lastWords(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const why = lines.findLast((line) => /^watchdog: |: nothing was left to wait for|^left open /.test(line))
  return (why ?? lines.findLast((line) => /^(Uncaught )?\w*Error\b/.test(line)) ?? lines.at(-1) ?? '').trim()
}

/** @param {readonly string[]} failures */
export function sayFailures(failures) {
  for (const failure of failures.slice(0, SHOWN)) {
    const line = failure.replaceAll(/\s+/g, ' ')
    console.log(`FAIL  ${line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line}`)
  }
  if (failures.length > SHOWN) console.log(`FAIL  and ${failures.length - SHOWN} more`)
}
