"""Operations on pairs as linear and bilinear maps: no time in here."""
