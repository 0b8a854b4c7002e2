"""Side-by-side measurements, one folder per question; README.md explains them."""
