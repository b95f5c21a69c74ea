"""A page to edit on, in the browser: shows what vidinv.scrub and vidinv.batch do, and does nothing by itself."""
