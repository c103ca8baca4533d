// The holdfast of a kelp plant: one stem, three grips.
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d="M10 1.5v10M10 11.5 4.5 18M10 11.5V18M10 11.5l5.5 6.5" />
    </svg>
  );
}
