// Two assertions: jsr packages cannot be had everywhere these tests run.

export function assertEquals(found: unknown, wanted: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`found ${one}, wanted ${other}`);
}

export function assertMatch(found: string, pattern: RegExp): void {
  if (!pattern.test(found)) throw new Error(`${JSON.stringify(found)} does not match ${pattern}`);
}
