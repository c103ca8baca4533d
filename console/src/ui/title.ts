import { useEffect } from 'preact/hooks';

/** The tab's title, most specific first. */
export function useTitle(...parts: string[]): void {
  const title = [...parts, 'Holdfast'].join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
}
