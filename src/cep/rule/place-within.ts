/**
 * Where a character of a value stands in the text that the value was read from. In block and quoted scalars the value is
 * not the text as it stands: the two are walked side by side.
 */
export function placeWithin(raw: string, value: string, offset: number): number {
  const verbatim = raw.indexOf(value)
  if (verbatim !== -1) return verbatim + Math.min(offset, value.length)
  let at = raw.search(/[^|>"'\s\d+-]/)
  if (raw.startsWith('"') || raw.startsWith("'")) at = 1
  for (let done = 0; done < offset && at < raw.length; done++) {
    if (/\s/.test(value[done] ?? '')) while (/\s/.test(raw[at] ?? '')) at++
    else {
      if ((raw[at] === '\\' || raw.startsWith("''", at)) && raw[at] !== value[done]) at++
      else if (raw.startsWith("''", at) && value[done] === "'") at++
      at++
    }
  }
  return Math.max(at, 0)
}
