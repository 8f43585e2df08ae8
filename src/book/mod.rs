//! What a face needs of any archive, whatever its format.

pub mod zim_index;
