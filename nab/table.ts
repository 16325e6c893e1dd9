import { scoreFile, type Profile, type Result, type Scored } from './scoring.ts'

/** A line for each file at the threshold of the standard profile, then the totals of all profiles. */
export function table(
  files: readonly (Scored & { readonly name: string })[],
  results: Readonly<Record<Profile, Result>>,
): string {
  const { threshold } = results.standard
  const wide = Math.max(...files.map((file) => file.name.length), 20)
  const lines = [`${'file'.padEnd(wide)}    rows  windows  found  false alarms    sum`]
  for (const file of files) {
    const { sum, windows, found, falseAlarms } = scoreFile(file, threshold, 'standard')
    const counts = [file.scores.length, windows, found, falseAlarms].map(String)
    const [rows = '', all = '', hit = '', wrong = ''] = counts
    lines.push(
      `${file.name.padEnd(wide)}  ${rows.padStart(6)}  ${all.padStart(7)}  ${hit.padStart(5)}  ${wrong.padStart(12)}  ${sum.toFixed(2).padStart(5)}`,
    )
  }
  lines.push('')
  for (const [profile, result] of Object.entries(results))
    lines.push(
      `${profile.padEnd(20)} ${result.score.toFixed(2).padStart(6)}   threshold ${result.threshold.toPrecision(4)}`,
    )
  return lines.join('\n')
}
